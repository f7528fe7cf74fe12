#include "server/refusals.h"

#include "cluster/api_status.h"
#include "server/argo/errors.h"
#include "server/argo/grpc_answer.h"
#include "server/argo/rest_route.h"
#include "server/exchange.h"

namespace tiphys::server {

void refuse_request(const Served& served, const Request& request, const objects::Refusal& refusal,
                    Responder& responder) {
  if (request.grpc) return refuse_grpc(responder, error_of(refusal));
  if (served.argo && is_of_argo(request.target)) {
    return responder.reply(refusal.code, kJson, gateway_error(error_of(refusal)));
  }
  responder.reply(refusal.code, kJson, cluster::status_json(refusal.code, refusal.reason, refusal.message));
}

}  // namespace tiphys::server
