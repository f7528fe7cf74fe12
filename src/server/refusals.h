// How a request is refused before it has been taken to its routes: in the form that its client reads.
#pragma once

#include "server/routes.h"

namespace tiphys::server {

/// gRPC's trailers, an error of Argo's API, or Kubernetes' Status; by the request's target and what it speaks.
void refuse_request(const Served& served, const Request& request, const objects::Refusal& refusal,
                    Responder& responder);

}  // namespace tiphys::server
