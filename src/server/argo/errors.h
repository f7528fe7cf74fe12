// Errors of Argo's API, as its clients read them.
#pragma once

#include <string>

#include "base/error.h"
#include "objects/refusal.h"

namespace tiphys::server {

/// HTTP's code for one of gRPC's, as grpc-gateway has it: not that of Kubernetes' routes.
unsigned gateway_code(Code code);
/// The other way round: what an answer of HTTP with this code means.
Code code_of_http(unsigned http);
/// {"code","message"}: google.rpc.Status.
std::string gateway_error(const Error& error);
/// {"error":{"grpc_code","http_code","message","http_status"}}: what ends a stream that has begun.
std::string gateway_stream_error(const Error& error);
/// What has been refused before Argo's API is asked, in its codes.
Error error_of(const objects::Refusal& refusal);

}  // namespace tiphys::server
