// Argo's API behind a server, by gRPC: what make_argo_client makes where it is asked for.
#pragma once

#include "server/argo_client.h"

namespace tiphys::server {

/// All calls share one connection. Answers have the bound of the original's client, 100 MB a message, and two minutes
/// to begin; streams as long as they like.
std::unique_ptr<argo::Services> make_argo_grpc_client(boost::asio::io_context& context, ArgoServer server);

}  // namespace tiphys::server
