#include "server/argo/rest_call.h"

#include <fmt/format.h>

#include <algorithm>

#include "argo/webhooks.h"
#include "base/log.h"
#include "cluster/resource.h"
#include "server/access.h"
#include "server/argo/errors.h"
#include "server/argo/rest_answer.h"
#include "server/argo/rest_request.h"
#include "server/audit.h"
#include "server/server_account.h"

namespace tiphys::server {
namespace {

std::string_view namespace_of(const RestRoute& route) {
  const auto found = std::ranges::find(route.captured, "namespace", &std::pair<std::string_view, std::string>::first);
  return found == route.captured.end() ? std::string_view() : std::string_view(found->second);
}

/// Nobody becomes the service account of the webhook client that has signed the request.
Status take_signature(Exchange& exchange, std::string_view ns) {
  Request& request = exchange.request;
  if (request.caller != anonymous()) return {};
  store::Store& store = exchange.api().store();
  const auto unsigned_event = [&]() -> Status {
    const Authentication& auth = exchange.served.auth;
    if (auth.modes.server) {
      auto caller = auth.server_account->caller();
      if (!caller) return std::unexpected(error_of(caller.error()));
      request.caller = std::make_shared<const objects::Caller>(std::move(*caller));
      return {};
    }
    return fail(Code::kUnauthenticated,
                "an event over TCP needs the header Authorization: Bearer TOKEN, or the signature of a webhook client");
  };
  const auto clients = store.newest({&cluster::kSecrets, std::string(ns), argo::kWebhookClients});
  if (!clients || !*clients) return unsigned_event();
  // What is wrong is for the owner, not for whoever asks.
  const auto refuse = [&](std::string_view why) {
    log::warn("webhook to namespace {}: {}", ns, why);
    return fail(Code::kPermissionDenied, "failed to process webhook request");
  };
  const auto name = argo::webhook_account(**clients, request.extra, request.body);
  if (!name) return refuse(name.error().message);
  if (name->empty()) return unsigned_event();
  const auto account = store.newest({&cluster::kServiceAccounts, std::string(ns), *name});
  if (!account || !*account) return refuse(fmt::format("there is no service account {}", *name));
  const std::string_view uid = doc::find_string(**account, "metadata", "uid");
  request.caller = std::make_shared<const objects::Caller>(objects::service_account(ns, *name, uid));
  if (exchange.audit) exchange.audit->impersonates(*request.caller);
  return {};
}

Status call(const ExchangePtr& exchange, Result<RestRoute> found) {
  if (!found) return std::unexpected(std::move(found.error()));
  TIPHYS_CHECK_OK(take_signature(*exchange, namespace_of(*found)));
  TIPHYS_TRY(exchange->query, Target::parse(exchange->request.target));
  TIPHYS_TRY(doc::Object request, bind_request(*found, exchange->query, exchange->request.body));
  const doc::Value* ns = request.if_contains("namespace");
  const auto taken = take_account(*exchange, ns && ns->is_string() ? std::string_view(ns->get_string()) : "");
  if (!taken) return std::unexpected(error_of(taken.error()));
  if (auto known = take_identity(*exchange); !known) return std::unexpected(error_of(known.error()));
  if (exchange->audit) exchange->audit->calls(*found->method, request);
  exchange->served.argo->call({.method = *found->method,
                               .request = std::move(request),
                               .caller = exchange->request.caller,
                               .answer = make_rest_answer(*exchange, *found->method),
                               .extra = exchange->request.extra});
  return {};
}

}  // namespace

bool call_by_rest(const ExchangePtr& exchange) {
  if (!exchange->served.argo) return false;
  const std::string_view target = exchange->request.target;
  auto found = find_rest_route(exchange->request.method, target.substr(0, target.find('?')));
  if (!found) return false;
  if (const Status called = call(exchange, std::move(*found)); !called) {
    exchange->responder->reply(gateway_code(called.error().code), kJson, gateway_error(called.error()));
  }
  return true;
}

}  // namespace tiphys::server
