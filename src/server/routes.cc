#include "server/routes.h"

#include <fmt/format.h>

#include "server/exchange.h"
#include "server/route.h"

namespace tiphys::server {
namespace {

Handled not_allowed() {
  return refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

Handled of_collection(const ExchangePtr& exchange, const objects::Target& target) {
  const std::string& method = exchange->request.method;
  if (method == "GET")
    return exchange->query.flag("watch") ? watch_objects(exchange, target) : list_objects(exchange, target);
  if (method == "POST") return create_object(exchange, target);
  if (method == "DELETE") return remove_objects(exchange, target);
  return not_allowed();
}

Handled of_object(const ExchangePtr& exchange, const objects::Target& target) {
  const std::string& method = exchange->request.method;
  if (method == "GET") {
    if (target.subresource == "log") return read_log(exchange, target);
    if (exchange->query.flag("watchNodes")) return watch_nodes(exchange, target);
    return get_object(exchange, target);
  }
  if (target.subresource == "log") return not_allowed();
  if (method == "PUT") return update_object(exchange, target);
  if (method == "PATCH") return patch_object(exchange, target);
  if (method == "DELETE" && target.subresource.empty()) return remove_object(exchange, target);
  return not_allowed();
}

Handled dispatch(const ExchangePtr& exchange) {
  auto form = accepted_form(exchange->request.accept);
  // Logs are text, whatever is accepted.
  if (form) exchange->form = *form;
  if (serve_page(*exchange)) return {};
  const auto target = find_route(exchange->api().kinds(), exchange->query);
  if (!target) return std::unexpected(objects::refusal_of(target.error()));
  if (!form && target->subresource != "log") return std::unexpected(std::move(form.error()));
  return target->name.empty() ? of_collection(exchange, *target) : of_object(exchange, *target);
}

}  // namespace

void handle(const Served& served, Request request, const std::shared_ptr<Responder>& responder) {
  const auto exchange = std::make_shared<Exchange>(served, std::move(request), Target{}, responder);
  auto query = Target::parse(exchange->request.target);
  if (!query) return reply_refusal(*exchange, objects::refusal_of(query.error()));
  exchange->query = std::move(*query);
  if (const Handled handled = dispatch(exchange); !handled) reply_refusal(*exchange, handled.error());
}

}  // namespace tiphys::server
