// Requests to a Kubernetes API server: who asks, what is tried again, what errors mean.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/executor.h"
#include "base/random.h"
#include "http/client.h"
#include "http/line_stream.h"
#include "kube/backoff.h"
#include "kube/credentials.h"

namespace tiphys::kube {

class Api : public std::enable_shared_from_this<Api> {
 public:
  template <typename T>
  using Done = std::move_only_function<void(Result<T>)>;

  /// An error names what of the access cannot be used. Nothing is sent yet.
  static Result<std::shared_ptr<Api>> make(boost::asio::io_context& context, Executor& executor, Random& random,
                                           const Access& access);

  /// `target` is a path of the API with its query. `done` gets the body of a good answer, or the error that the server
  /// told; it is never called from inside, and not any more after stop(). An answer that says so (429, or 5xx with
  /// Retry-After) is followed by another attempt, of ten at most; 401 by one with fresh credentials.
  void call(http::Request request, Done<std::string> done);

  /// A stream with these credentials. `on_line` and `on_end` as LineStream's; an end by an error of the credentials is
  /// one, too.
  void stream(http::LineStream& stream, http::Request request, http::LineStream::Sink sink);
  /// The server did not know who asked: the credentials are made anew.
  void forget_identity();

  /// Forgets all calls.
  void stop();

  Executor& executor() { return executor_; }
  Random& random() { return random_; }

 private:
  struct Attempt;

  Api(boost::asio::io_context& context, Executor& executor, Random& random, const Access& access,
      http::Endpoint endpoint, std::string path);
  void start(std::shared_ptr<Attempt> attempt);
  void send(const std::shared_ptr<Attempt>& attempt);
  void answered(const std::shared_ptr<Attempt>& attempt, Status status);
  void try_later(const std::shared_ptr<Attempt>& attempt);
  Status show(const Identity& identity);
  http::Request with_identity(http::Request request) const;
  template <typename T>
  auto guarded(T task) {
    return [weak = weak_from_this(), task = std::move(task)](auto&&... args) mutable {
      if (const auto self = weak.lock()) task(*self, std::forward<decltype(args)>(args)...);
    };
  }

  Executor& executor_;
  Random& random_;
  std::string server_name_, ca_;
  bool insecure_;
  ActsAs acts_as_;
  std::string path_;  ///< before each target
  http::Client client_;
  std::unique_ptr<Credentials> credentials_;
  Identity identity_;  ///< as last shown
  std::unordered_map<Attempt*, std::shared_ptr<Attempt>> attempts_;
};

}  // namespace tiphys::kube
