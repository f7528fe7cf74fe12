#include "server/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "objects/custom_kind.h"
#include "server/access.h"
#include "server/argo/artifact_routes.h"
#include "server/argo/grpc_call.h"
#include "server/argo/rest_call.h"
#include "server/audit.h"
#include "server/exchange.h"
#include "server/route.h"
#include "server/sso/sign_on.h"
#include "server/sso/sign_on_routes.h"
#include "server/ui_files.h"

namespace tiphys::server {
namespace {

Handled not_allowed() {
  return refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

/// What discovery says of a kind holds.
bool offers(const objects::Target& target, std::string_view verb) {
  const objects::Subresource* part = target.kind->subresource(target.subresource);
  const auto& verbs = part ? part->verbs : target.kind->verbs;
  return std::ranges::find(verbs, verb) != verbs.end();
}

Handled of_collection(const ExchangePtr& exchange, const objects::Target& target) {
  const std::string& method = exchange->request.method;
  if (method == "POST") return create_object(exchange, target);
  if (method == "GET" && offers(target, "list")) {
    return exchange->query.flag("watch") ? watch_objects(exchange, target) : list_objects(exchange, target);
  }
  // Nobody means to delete what is in all namespaces.
  const bool too_much = target.kind->resource->namespaced && target.ns.empty();
  if (method == "DELETE" && offers(target, "deletecollection") && !too_much) return remove_objects(exchange, target);
  return not_allowed();
}

Handled of_object(const ExchangePtr& exchange, const objects::Target& target) {
  const std::string& method = exchange->request.method;
  if (is_session(target.subresource)) {
    return method == "GET" || method == "POST" ? open_session(exchange, target) : not_allowed();
  }
  if (method == "GET" && offers(target, "get")) {
    if (target.subresource == "log") return read_log(exchange, target);
    if (exchange->query.flag("watchNodes")) return watch_nodes(exchange, target);
    return get_object(exchange, target);
  }
  if (method == "POST" && offers(target, "create") && !target.subresource.empty()) return create_part(exchange, target);
  if (!offers(target, "update")) return not_allowed();
  if (method == "PUT") return update_object(exchange, target);
  if (method == "PATCH" && offers(target, "patch")) return patch_object(exchange, target);
  if (method == "DELETE" && target.subresource.empty()) return remove_object(exchange, target);
  return not_allowed();
}

/// Who may not read objects may not read what leads to them; of objects their own rules decide.
Handled allow_page(const Exchange& exchange) {
  const auto& path = exchange.query.path;
  if (path.size() == 1 && (path[0] == "healthz" || path[0] == "metrics")) return {};
  const bool of_objects = path.size() > 2 && (path[0] == "api" || (path[0] == "apis" && path.size() > 3));
  if (of_objects) return {};
  const std::string text = exchange.request.target.substr(0, exchange.request.target.find('?'));
  return exchange.api().allow(exchange.request.caller.get(), {.verb = "get", .path = text});
}

/// A group that nobody serves, or not at this version; of its own groups an API server knows all versions.
bool is_nowhere(const objects::Kinds& kinds, std::span<const std::string> path) {
  if (path.size() < 2 || path[0] != "apis") return false;
  for (const objects::KindPtr& kind : kinds.all()) {
    if (kind->resource->group != path[1]) continue;
    if (!kind->custom || path.size() < 3 || kind->version == path[2]) return false;
  }
  return true;
}

}  // namespace

Handled take_account(Exchange& exchange, std::string_view ns) {
  Request& request = exchange.request;
  if (!request.caller || !request.caller->person) return {};
  TIPHYS_TRY(request.caller, exchange.served.auth.sign_on->with_account(*request.caller, ns));
  if (exchange.audit) exchange.audit->impersonates(*request.caller);
  return {};
}

Handled take_identity(Exchange& exchange) {
  Request& request = exchange.request;
  const Impersonation& wanted = request.impersonation;
  if (!wanted.user.empty()) {
    TIPHYS_TRY(request.caller, impersonate(exchange.api(), request.caller.get(), wanted));
    if (exchange.audit) exchange.audit->impersonates(*request.caller);
  } else if (!wanted.groups.empty() || !wanted.uid.empty()) {
    return std::unexpected(objects::bad_request("requested groups or uid without impersonating a user"));
  }
  return {};
}

namespace {

Handled dispatch(const ExchangePtr& exchange) {
  TIPHYS_CHECK_OK(take_identity(*exchange));
  auto form = accepted_form(exchange->request.accept);
  // Logs are text, whatever is accepted.
  if (form) exchange->form = *form;
  if (auto allowed = allow_page(*exchange); !allowed) return allowed;
  if (serve_page(*exchange)) return {};
  auto target = find_route(exchange->api().kinds(), exchange->query);
  if (!target && is_nowhere(exchange->api().kinds(), exchange->query.path)) {
    exchange->responder->reply(404, "text/plain; charset=utf-8", "404 page not found\n");
    return {};
  }
  if (!target) return refuse(404, "NotFound", target.error().message);
  target->caller = exchange->request.caller;
  if (const auto warning = objects::deprecation_of(*target->kind); !warning.empty()) {
    exchange->warnings.emplace_back(warning);
  }
  if (exchange->audit) {
    const bool watches = exchange->query.flag("watch") && target->name.empty();
    exchange->audit->is_for(*target, verb_of(exchange->request.method, target->name.empty(), watches));
  }
  if (!form && target->subresource != "log" && !is_session(target->subresource))
    return std::unexpected(std::move(form.error()));
  return target->name.empty() ? of_collection(exchange, *target) : of_object(exchange, *target);
}

}  // namespace

void handle(const Served& served, Request request, const std::shared_ptr<Responder>& responder) {
  std::shared_ptr<AuditEntry> audit;
  if (served.audit && !is_open_page(request.target)) {
    audit =
        std::make_shared<AuditEntry>(served.audit, request, request.caller ? *request.caller : objects::plane_owner());
  }
  const auto exchange = std::make_shared<Exchange>(served, std::move(request), Target{},
                                                   audit ? audited(audit, responder) : responder, audit);
  if (exchange->request.grpc) return call_by_grpc(exchange);
  if (serve_sign_on(exchange)) return;
  if (served.ui && exchange->request.caller == anonymous() &&
      is_of_ui(exchange->request.method, exchange->request.target, false)) {
    return served.ui->serve(served.executor, exchange->request.target, responder);
  }
  if (call_by_rest(exchange)) return;
  auto query = Target::parse(exchange->request.target);
  if (!query) return reply_refusal(*exchange, objects::refusal_of(query.error()));
  exchange->query = std::move(*query);
  if (serve_artifacts(exchange)) return;
  if (const Handled handled = dispatch(exchange); !handled) reply_refusal(*exchange, handled.error());
}

}  // namespace tiphys::server
