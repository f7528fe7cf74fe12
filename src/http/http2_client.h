// Requests to one HTTP/2 server (RFC 9113), all on one connection: over TLS, or in plain text where the server is known
// to speak it. The protocol is nghttp2's.
#pragma once

#include <memory>

#include "http/client.h"

namespace tiphys::http {

/// Names in lower case.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// As Sink is called.
struct Http2Sink {
  std::move_only_function<void(unsigned code, const Fields& fields)> on_head;
  std::move_only_function<void(std::string_view part)> on_body;
  /// The answer is complete, with the fields that follow it, or the error that broke it off: those of Sink, and
  /// kUnimplemented when the server speaks no HTTP/2.
  std::move_only_function<void(Result<Fields> trailers)> on_end;
};

class Http2Pool;

/// Copies share their connection, which is closed with the last copy and the last call.
class Http2Client {
 public:
  /// Of the limits the times hold: the number of requests at once is the server's choice.
  Http2Client(boost::asio::io_context& context, Endpoint endpoint, ClientLimits limits = {});

  /// Header fields that HTTP/2 has no use for, such as Connection, are left out; kInvalidArgument: one that is none.
  std::unique_ptr<Call> call(Request request, Http2Sink sink);
  const Endpoint& endpoint() const;

 private:
  std::shared_ptr<Http2Pool> pool_;
};

}  // namespace tiphys::http
