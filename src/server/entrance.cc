#include "server/entrance.h"

#include <fmt/format.h>

#include "argo/webhooks.h"
#include "cluster/resource.h"
#include "server/access.h"
#include "server/argo/rest_route.h"
#include "server/audit.h"

namespace tiphys::server {
namespace {

bool is_of_this_machine(const Credentials& credentials) {
  if (!is_loopback_host(credentials.host)) return false;
  std::string_view origin = credentials.origin;
  if (origin.empty()) return true;
  if (const auto scheme = origin.find("://"); scheme != std::string_view::npos) origin.remove_prefix(scheme + 3);
  return is_loopback_host(origin);
}

/// An event that a webhook client of its namespace may have signed: whether one has is known once its body is there.
bool may_be_signed(const Entrance& entrance, const Request& request) {
  constexpr std::string_view kEvents = "/api/v1/events/";
  std::string_view rest = request.target;
  if (request.method != "POST" || !rest.starts_with(kEvents)) return false;
  rest.remove_prefix(kEvents.size());
  const std::string ns(rest.substr(0, rest.find('/')));
  const auto clients = entrance.served.api.store().newest({&cluster::kSecrets, ns, argo::kWebhookClients});
  return clients && *clients;
}

}  // namespace

std::size_t most_body_bytes(const objects::Caller* caller) {
  return caller == anonymous().get() ? kMostAnonymousBodyBytes : kMostBodyBytes;
}

objects::Refusal too_large_body(std::size_t most) {
  return {413, "RequestEntityTooLarge", fmt::format("the body is larger than {} MiB", most >> 20)};
}

objects::Outcome<std::shared_ptr<const objects::Caller>> let_in(const Entrance& entrance, const Request& request,
                                                                const Credentials& credentials) {
  if (!entrance.gate) return nullptr;
  const auto refuse = [&](unsigned code, std::string reason, std::string message) {
    tell_refused(entrance.served, request, code);
    return std::unexpected(objects::Refusal{code, std::move(reason), std::move(message)});
  };
  if (!entrance.is_public && !is_of_this_machine(credentials)) {
    return refuse(403, "Forbidden", "the Host of a request must be localhost or 127.0.0.1");
  }
  const bool counts = entrance.limit && (request.grpc || is_of_argo(request.target));
  if (counts && !entrance.limit->take(request.peer, entrance.served.executor.now())) {
    return refuse(429, "TooManyRequests", "too many requests from this address in a second: try again later");
  }
  auto caller = entrance.gate->admit(credentials.authorization);
  if (caller || is_open_page(request.target)) return caller;
  if (credentials.authorization.empty() && may_be_signed(entrance, request)) return anonymous();
  return refuse(401, "Unauthorized", "a request over TCP needs the header Authorization: Bearer TOKEN");
}

}  // namespace tiphys::server
