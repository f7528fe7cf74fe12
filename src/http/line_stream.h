// The lines of one streamed answer.
#pragma once

#include <memory>
#include <string>

#include "http/client.h"

namespace tiphys::http {

class LineStream {
 public:
  /// What an answer without lines, of another code than 200, stands for.
  using ErrorOf = Error (*)(unsigned code, std::string_view body);
  struct Sink {
    std::move_only_function<void(std::string_view line)> on_line;
    /// May start the stream again, or destroy it.
    std::move_only_function<void(Status)> on_end;
  };

  explicit LineStream(ErrorOf error_of) : error_of_(error_of) {}

  /// Ends what it has been reading.
  void start(Client client, Request request, Sink sink);
  /// Of the newest answer.
  const Head& head() const { return head_; }
  /// Expires with this.
  std::weak_ptr<bool> alive() const { return alive_; }

 private:
  void take(std::string_view part);
  void end(Status status);

  ErrorOf error_of_;
  Sink sink_;
  Head head_;
  std::string rest_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Call> call_;
};

}  // namespace tiphys::http
