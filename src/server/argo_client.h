// Argo's API behind a server, by its REST routes or by gRPC.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "argo/call.h"
#include "http/client.h"

namespace tiphys::server {

/// Where Argo's API is, and what its requests show.
struct ArgoServer {
  http::Endpoint endpoint;
  bool grpc = false;                                           ///< by gRPC, which knows of no base_path
  std::string base_path{};                                     ///< before each path: "" or "/argo"
  std::vector<std::pair<std::string, std::string>> headers{};  ///< of each request
};

/// Calls fail with the code and message of the API's error, kUnimplemented where a server does not serve them or speaks
/// something else, kUnavailable while none listens, kUnauthenticated when it wants another token or its certificate is
/// not trusted. A call that answers once goes on when this is destroyed; the caller of a stream holds it by its Answer.
std::unique_ptr<argo::Services> make_argo_client(boost::asio::io_context& context, ArgoServer server);

}  // namespace tiphys::server
