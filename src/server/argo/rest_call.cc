#include "server/argo/rest_call.h"

#include "server/argo/errors.h"
#include "server/argo/rest_answer.h"
#include "server/argo/rest_request.h"
#include "server/audit.h"

namespace tiphys::server {
namespace {

Status call(const ExchangePtr& exchange, Result<RestRoute> found) {
  if (!found) return std::unexpected(std::move(found.error()));
  if (auto known = take_identity(*exchange); !known) return std::unexpected(error_of(known.error()));
  TIPHYS_TRY(exchange->query, Target::parse(exchange->request.target));
  TIPHYS_TRY(doc::Object request, bind_request(*found, exchange->query, exchange->request.body));
  if (exchange->audit) exchange->audit->calls(*found->method, request);
  exchange->served.argo->call({.method = *found->method,
                               .request = std::move(request),
                               .caller = exchange->request.caller,
                               .answer = make_rest_answer(*exchange, *found->method)});
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
