#include "server/entrance.h"

#include <fmt/format.h>

#include "argo/webhooks.h"
#include "cluster/resource.h"
#include "server/access.h"
#include "server/argo/artifact_routes.h"
#include "server/argo/rest_route.h"
#include "server/audit.h"
#include "server/cookies.h"
#include "server/server_account.h"
#include "server/sso/sign_on.h"
#include "server/sso/sign_on_routes.h"
#include "server/ui_files.h"

namespace tiphys::server {
namespace {

bool is_of_this_machine(const Credentials& credentials) {
  if (!is_loopback_host(credentials.host)) return false;
  std::string_view origin = credentials.origin;
  if (origin.empty()) return true;
  if (const auto scheme = origin.find("://"); scheme != std::string_view::npos) origin.remove_prefix(scheme + 3);
  return is_loopback_host(origin);
}

constexpr std::string_view kNeedsToken = "a request over TCP needs the header Authorization: Bearer TOKEN";
constexpr std::string_view kEvents = "/api/v1/events/";

/// Not whatever lies there: Kubernetes has events, too.
bool is_argo_event(const Request& request) {
  const std::string_view target = request.target;
  return request.method == "POST" && target.starts_with(kEvents) &&
         find_rest_route(request.method, target.substr(0, target.find('?')));
}

/// What the modes of authentication are for.
bool is_for_argo(const Request& request) {
  return request.grpc || is_of_argo(request.target) || is_argo_event(request) || is_of_artifacts(request.target);
}

/// An event that a webhook client of its namespace may have signed: whether one has is known once its body is there.
bool may_be_signed(const Entrance& entrance, const Request& request) {
  std::string_view rest = request.target;
  if (!is_argo_event(request)) return false;
  rest.remove_prefix(kEvents.size());
  const std::string ns(rest.substr(0, rest.find('/')));
  const auto clients = entrance.served.api.store().newest({&cluster::kSecrets, ns, argo::kWebhookClients});
  return clients && *clients;
}

using Admitted = objects::Outcome<std::shared_ptr<const objects::Caller>>;

std::unexpected<objects::Refusal> unauthorized(std::string message) {
  return std::unexpected(objects::Refusal{401, "Unauthorized", std::move(message)});
}

/// By what the header says; without one by the first cookie that is somebody's: there may be one of another path.
Admitted admit_to_argo(const Entrance& entrance, const Request& request, const Credentials& credentials) {
  const Authentication& auth = entrance.served.auth;
  std::vector<std::string_view> shown{credentials.authorization};
  const bool bears = !credentials.authorization.empty();
  if (!bears) shown = cookies_named(credentials.cookie, kCookieName);
  if (shown.empty()) shown.emplace_back();
  Admitted refused =
      unauthorized(auth.modes.sso ? "nobody has signed in: /oauth2/redirect is where to" : std::string(kNeedsToken));
  for (const std::string_view authorization : shown) {
    const auto mode = auth.modes.of(authorization);
    if (!mode) continue;
    // A browser sends a cookie along whoever has it ask, and a server that wants none is as good.
    const bool is_own = is_same_origin(credentials.origin, credentials.host, credentials.fetch_site);
    if (!bears && is_write(request.method) && !is_own) {
      return std::unexpected(
          objects::Refusal{403, "Forbidden", "a request that changes something comes from a page of another origin"});
    }
    if (*mode == AuthMode::kSso) {
      auto caller = auth.sign_on->admit(authorization);
      if (caller) return std::move(*caller);
      refused = unauthorized(std::move(caller.error().message));
      continue;
    }
    if (*mode == AuthMode::kServer) {
      if (auth.server_account->is_owner()) return nullptr;
      TIPHYS_TRY(objects::Caller caller, auth.server_account->caller());
      return std::make_shared<const objects::Caller>(std::move(caller));
    }
    if (auto caller = entrance.gate->admit(authorization)) return caller;
  }
  return refused;
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
  const bool signs_on = is_sign_on_page(request.target);
  const bool counts = entrance.limit && (signs_on || is_for_argo(request));
  if (counts && !entrance.limit->take(request.peer, entrance.served.executor.now())) {
    return refuse(429, "TooManyRequests", "too many requests from this address in a second: try again later");
  }
  if (entrance.served.ui && is_of_ui(request.method, request.target, !credentials.authorization.empty())) {
    return anonymous();
  }
  if (signs_on) {
    if (!is_write(request.method) || is_same_origin(credentials.origin, credentials.host, credentials.fetch_site)) {
      return anonymous();
    }
    return refuse(403, "Forbidden", "a page of another origin may not do this");
  }
  const bool shows_nothing =
      credentials.authorization.empty() && cookies_named(credentials.cookie, kCookieName).empty();
  if (shows_nothing && may_be_signed(entrance, request)) return anonymous();
  if (is_for_argo(request)) {
    auto admitted = admit_to_argo(entrance, request, credentials);
    if (!admitted) return refuse(admitted.error().code, admitted.error().reason, admitted.error().message);
    return admitted;
  }
  auto caller = entrance.gate->admit(credentials.authorization);
  if (caller || is_open_page(request.target)) return caller;
  return refuse(401, "Unauthorized", std::string(kNeedsToken));
}

}  // namespace tiphys::server
