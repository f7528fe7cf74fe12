#include "server/entrance.h"

#include <fmt/format.h>

#include "argo/webhooks.h"
#include "cluster/resource.h"
#include "server/access.h"
#include "server/argo/artifact_routes.h"
#include "server/argo/rest_route.h"
#include "server/audit.h"
#include "server/cookies.h"
#include "server/ui_files.h"

namespace tiphys::server {
namespace {

std::string_view host_of(std::string_view origin) {
  if (const auto scheme = origin.find("://"); scheme != std::string_view::npos) origin.remove_prefix(scheme + 3);
  return origin;
}

bool is_of_this_machine(const Credentials& credentials) {
  if (!is_loopback_host(credentials.host)) return false;
  return credentials.origin.empty() || is_loopback_host(host_of(credentials.origin));
}

/// What a cookie counts for: Kubernetes' API knows none.
bool is_for_argo(const Request& request) {
  return is_of_argo(request.target) || is_of_artifacts(request.target);
}

/// Ports make no difference to cookies: pages of other servers of this host have them sent as well.
bool is_same_origin(const Credentials& credentials) {
  const std::string_view site = credentials.fetch_site;
  if (!site.empty()) return site == "same-origin" || site == "none";
  return credentials.origin.empty() || host_of(credentials.origin) == credentials.host;
}

bool is_write(const Request& request) {
  return request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
}

/// By the header; without one by the first cookie that is somebody's.
std::shared_ptr<const objects::Caller> admit(const Entrance& entrance, const Request& request,
                                             const Credentials& credentials) {
  if (!credentials.authorization.empty() || !is_for_argo(request)) {
    return entrance.gate->admit(credentials.authorization);
  }
  for (const std::string_view token : cookies_named(credentials.cookie, "authorization")) {
    if (auto caller = entrance.gate->admit(token)) return caller;
  }
  return nullptr;
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
  if (entrance.served.ui && is_of_ui(request.method, request.target, !credentials.authorization.empty())) {
    return anonymous();
  }
  auto caller = admit(entrance, request, credentials);
  const bool by_cookie = caller && credentials.authorization.empty();
  if (by_cookie && is_write(request) && !is_same_origin(credentials)) {
    return refuse(403, "Forbidden", "a request that changes something comes from a page of another origin");
  }
  if (caller || is_open_page(request.target)) return caller;
  if (credentials.authorization.empty() && may_be_signed(entrance, request)) return anonymous();
  return refuse(401, "Unauthorized", "a request over TCP needs the header Authorization: Bearer TOKEN");
}

}  // namespace tiphys::server
