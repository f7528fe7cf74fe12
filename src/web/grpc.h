// Calls of gRPC with one message each way, over HTTP/2 without TLS.
#pragma once

#include <string>
#include <string_view>

#include "web/http_client.h"

namespace tiphys::web {

/// A request to a server at "HOST:PORT". `method` is "package.Service/Method", `message` its argument.
HttpRequest grpc_request(std::string_view authority, std::string_view method, std::string_view message);

/// The message of an answer whose body is `body`: that of HttpAnswer, or what a sink took. A call that failed is an
/// error with gRPC's code and the server's words.
Result<std::string> grpc_message(const HttpAnswer& answer, std::string_view body);

}  // namespace tiphys::web
