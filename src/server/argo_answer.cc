#include "server/argo_answer.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "doc/value.h"

namespace tiphys::server {

std::string first_line(std::string_view body) {
  constexpr std::size_t kMostBytes = 200;
  const std::string_view line = trim(body.substr(0, body.find('\n')));
  return line.empty() || line.starts_with('<') || line.starts_with('{')
             ? std::string()
             : fmt::format(": {}", line.substr(0, kMostBytes));
}

Error error_of_answer(unsigned code, std::string_view body) {
  const auto parsed = doc::parse_json(body);
  // {"code", "message"}, the code one of gRPC's, as ours are; of a stream that could not begin it is {"error":
  // {"grpc_code", "message"}} with the original. A Status of Kubernetes' is of a server without this API.
  const doc::Value* error = parsed ? doc::find(*parsed, "error") : nullptr;
  const doc::Value none;
  const doc::Value& said = error ? *error : parsed ? *parsed : none;
  const doc::Value* told = doc::find(said, error ? "grpc_code" : "code");
  const bool of_argo = told && told->is_int64() && told->as_int64() > 0 && told->as_int64() <= 16;
  const std::string message(doc::find_string(said, "message"));
  if (of_argo) return {static_cast<Code>(told->as_int64()), message};
  if (code == 401) return {Code::kUnauthenticated, "the server wants another token"};
  if (code == 403) return {Code::kPermissionDenied, message.empty() ? "the server forbids it" : message};
  if (code == 502 || code == 503 || code == 504) {
    return {Code::kUnavailable, fmt::format("the server cannot be reached now: HTTP {}{}", code, first_line(body))};
  }
  return {Code::kUnimplemented,
          fmt::format("the server does not serve Argo's API there: HTTP {}{}", code, first_line(body))};
}

Error not_of_argo(const http::Endpoint& endpoint, std::string_view body) {
  return {Code::kUnimplemented,
          fmt::format("{} answers with a page that is not of Argo's API{}", endpoint.text(), first_line(body))};
}

}  // namespace tiphys::server
