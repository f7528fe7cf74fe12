// One HTTP request to a server of ours. Beast stays in http_client.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"

namespace boost::asio {
class io_context;
}

namespace tiphys::server {

/// Where a server listens.
struct Endpoint {
  std::string unix_path;  ///< when not empty, the rest is not used
  std::string host;       ///< an IP address or name
  unsigned short port = 0;
  std::string token;

  /// For messages: the socket's path or host:port.
  std::string text() const;
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = {};
  std::string content_type = {};
  std::string body = {};
  bool endless = false;  ///< the answer goes on as long as the server likes
};

/// Called on the context's thread, never from inside http_call. No call follows on_end or the call's destruction.
struct HttpSink {
  std::move_only_function<void(unsigned code)> on_head;
  std::move_only_function<void(std::string_view part)> on_body;
  /// The answer is complete, or the error that broke it off: kUnavailable when no server is there or it went away.
  std::move_only_function<void(Status)> on_end;
};

/// Ends its request when destroyed.
class HttpCall {
 public:
  virtual ~HttpCall() = default;
};

std::unique_ptr<HttpCall> http_call(boost::asio::io_context& context, const Endpoint& endpoint, HttpRequest request,
                                    HttpSink sink);

}  // namespace tiphys::server
