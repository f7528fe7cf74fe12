#include "node/agent/grpc_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/protobuf_wire.h"
#include "web/grpc.h"

namespace tiphys::node {
namespace {

constexpr std::array<std::string_view, 4> kStates = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
constexpr std::uint64_t kServing = 1;

/// Field 1 of a message, a varint; 0 when it is left out.
Result<std::uint64_t> first_field(std::string_view message) {
  std::uint64_t found = 0;
  WireReader reader(message);
  while (true) {
    TIPHYS_TRY(const auto field, reader.next());
    if (!field) return found;
    if (field->number == 1 && !field->is_bytes) found = field->value;
  }
}

}  // namespace

web::HttpRequest health_request(const std::string& authority, std::string_view service) {
  std::string message;
  if (!service.empty()) WireWriter(message).bytes(1, service);
  web::HttpRequest request = web::grpc_request(authority, "grpc.health.v1.Health/Check", message);
  request.headers.emplace_back("User-Agent", "kube-probe/tiphys");
  return request;
}

Status is_serving(const web::HttpAnswer& answer) {
  const auto message = web::grpc_message(answer, answer.body);
  if (!message) return std::unexpected(message.error().in("the health service"));
  const auto state = first_field(*message);
  if (!state) return fail(Code::kUnavailable, "the answer of the health service cannot be read");
  if (*state == kServing) return {};
  return fail(Code::kUnavailable,
              fmt::format("service unhealthy (responded with \"{}\")", kStates[std::min<std::uint64_t>(*state, 3)]));
}

}  // namespace tiphys::node
