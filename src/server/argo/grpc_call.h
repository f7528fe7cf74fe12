// Argo's API by gRPC: a request with content-type application/grpc over HTTP/2.
#pragma once

#include "server/exchange.h"

namespace tiphys::server {

/// Answers a request that has Request::grpc.
void call_by_grpc(const ExchangePtr& exchange);

}  // namespace tiphys::server
