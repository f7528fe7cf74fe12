// Where a call that came by gRPC is answered.
#pragma once

#include <memory>
#include <optional>

#include "server/exchange.h"

namespace tiphys::server {

/// Messages in gRPC's frames, and the status in trailers. After `timeout` the call ends with kDeadlineExceeded, and
/// with it what feeds it. A call that nobody answers is an error.
std::shared_ptr<argo::Answer> make_grpc_answer(const Exchange& exchange, const argo::Method& method,
                                               std::optional<Duration> timeout);

/// An answer that is nothing but a status.
void refuse_grpc(Responder& responder, const Error& error);

}  // namespace tiphys::server
