#include "node/agent/grpc_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace tiphys::node {
namespace {

/// Of a message in the body: one byte for its compression, four for its length.
constexpr std::size_t kFrameBytes = 5;
constexpr std::array<std::string_view, 4> kStates = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
constexpr std::uint64_t kServing = 1;

void put_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(0x80 | (value & 0x7f));
  to += static_cast<char>(value);
}

std::optional<std::uint64_t> take_varint(std::string_view& from) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

/// Field 1 of a message, a varint; 0 when it is left out, nothing when the message is none.
std::optional<std::uint64_t> first_field(std::string_view message) {
  std::uint64_t found = 0;
  while (!message.empty()) {
    const auto tag = take_varint(message);
    if (!tag) return std::nullopt;
    const auto value = (*tag & 7) == 0 || (*tag & 7) == 2 ? take_varint(message) : std::nullopt;
    if (!value) return std::nullopt;
    if ((*tag & 7) == 2) {
      if (*value > message.size()) return std::nullopt;
      message.remove_prefix(*value);
    } else if (*tag >> 3 == 1) {
      found = *value;
    }
  }
  return found;
}

}  // namespace

web::HttpRequest health_request(const std::string& authority, std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message += '\x0a';
    put_varint(message, service.size());
    message += service;
  }
  web::HttpRequest request;
  request.method = "POST";
  request.url = fmt::format("http://{}/grpc.health.v1.Health/Check", authority);
  request.headers = {{"Content-Type", "application/grpc"}, {"TE", "trailers"}, {"User-Agent", "kube-probe/tiphys"}};
  request.body = std::string(1, '\0');
  for (const int shift : {24, 16, 8, 0}) request.body += static_cast<char>(message.size() >> shift & 0xff);
  request.body += message;
  request.http2 = true;
  request.insecure = true;
  request.stays_at_host = true;
  return request;
}

Status is_serving(const web::HttpAnswer& answer) {
  if (answer.status != 200) return fail(Code::kUnavailable, fmt::format("HTTP status {}", answer.status));
  if (answer.body.size() < kFrameBytes || answer.body[0] != 0) {
    // A call that failed has no message.
    const auto told =
        std::ranges::find_if(answer.headers, [](const auto& each) { return each.first == "grpc-message"; });
    return fail(Code::kUnavailable, told == answer.headers.end() ? "the health service has not answered"
                                                                 : fmt::format("the health service: {}", told->second));
  }
  std::size_t length = 0;
  for (std::size_t i = 1; i < kFrameBytes; ++i) length = length << 8 | static_cast<unsigned char>(answer.body[i]);
  const std::string_view message = std::string_view(answer.body).substr(kFrameBytes);
  const auto state = message.size() < length ? std::nullopt : first_field(message.substr(0, length));
  if (!state) return fail(Code::kUnavailable, "the answer of the health service cannot be read");
  if (*state == kServing) return {};
  return fail(Code::kUnavailable,
              fmt::format("service unhealthy (responded with \"{}\")", kStates[std::min<std::uint64_t>(*state, 3)]));
}

}  // namespace tiphys::node
