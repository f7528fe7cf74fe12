#include "web/grpc.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/percent.h"
#include "web/request_rules.h"

namespace tiphys::web {
namespace {

/// Of a message in the body: one byte for its compression, four for its length.
constexpr std::size_t kFrameBytes = 5;

struct GrpcCode {
  std::string_view name;
  Code code;
};
/// By gRPC's numbers.
constexpr std::array<GrpcCode, 17> kCodes = {{{"OK", Code::kUnknown},
                                              {"Canceled", Code::kUnavailable},
                                              {"Unknown", Code::kUnknown},
                                              {"InvalidArgument", Code::kInvalidArgument},
                                              {"DeadlineExceeded", Code::kDeadlineExceeded},
                                              {"NotFound", Code::kNotFound},
                                              {"AlreadyExists", Code::kAlreadyExists},
                                              {"PermissionDenied", Code::kPermissionDenied},
                                              {"ResourceExhausted", Code::kResourceExhausted},
                                              {"FailedPrecondition", Code::kFailedPrecondition},
                                              {"Aborted", Code::kAborted},
                                              {"OutOfRange", Code::kInvalidArgument},
                                              {"Unimplemented", Code::kUnimplemented},
                                              {"Internal", Code::kInternal},
                                              {"Unavailable", Code::kUnavailable},
                                              {"DataLoss", Code::kDataLoss},
                                              {"Unauthenticated", Code::kUnauthenticated}}};

std::unexpected<Error> failed(std::size_t number, std::string_view words) {
  const GrpcCode& code = kCodes[number < kCodes.size() ? number : 2];
  return fail(code.code, fmt::format("rpc error: code = {} desc = {}", code.name, words));
}

}  // namespace

HttpRequest grpc_request(std::string_view authority, std::string_view method, std::string_view message) {
  HttpRequest request;
  request.method = "POST";
  request.url = fmt::format("http://{}/{}", authority, method);
  request.headers = {{"Content-Type", "application/grpc"}, {"TE", "trailers"}};
  request.body = std::string(1, '\0');
  for (const int shift : {24, 16, 8, 0}) request.body += static_cast<char>(message.size() >> shift & 0xff);
  request.body += message;
  request.http2 = true;
  request.insecure = true;
  request.stays_at_host = true;
  return request;
}

Result<std::string> grpc_message(const HttpAnswer& answer, std::string_view body) {
  if (answer.status != 200) return fail(Code::kUnavailable, fmt::format("HTTP status {}", answer.status));
  const auto told = [&](std::string_view name) {
    const std::string* value = find_header(answer.headers, name);
    return value ? *value : std::string();
  };
  if (const std::string status = told("grpc-status"); !status.empty() && status != "0") {
    std::size_t number = 2;
    std::from_chars(status.data(), status.data() + status.size(), number);
    const std::string words = told("grpc-message");
    return failed(number, percent_decode(words, false).value_or(words));
  }
  std::size_t length = 0;
  for (std::size_t i = 1; i < kFrameBytes && i < body.size(); ++i) {
    length = length << 8 | static_cast<unsigned char>(body[i]);
  }
  if (body.size() < kFrameBytes || body[0] != 0 || body.size() - kFrameBytes < length) {
    return fail(Code::kUnavailable, "the server has not answered the call");
  }
  return std::string(body.substr(kFrameBytes, length));
}

}  // namespace tiphys::web
