// Argo's API by REST, as grpc-gateway of the original offers it: /api/v1/workflows/{namespace} and so on, beside
// Kubernetes' /api/v1.
#pragma once

#include "server/exchange.h"

namespace tiphys::server {

/// False when the path is none of Argo's.
bool call_by_rest(const ExchangePtr& exchange);

}  // namespace tiphys::server
