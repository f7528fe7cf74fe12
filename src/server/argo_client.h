// Argo's API behind a server, by its REST routes.
#pragma once

#include "cluster/cluster.h"
#include "http/client.h"

namespace tiphys::server {

struct ArgoRequest {
  std::string verb;       ///< "GET"
  std::string path;       ///< "/api/v1/archived-workflows"
  doc::Object message{};  ///< the method's request: a GET's and DELETE's as a query, else the body
};

/// Fails with the code and message of the API's error, kUnimplemented where a server does not serve it, kUnavailable
/// while none listens.
void call_argo(boost::asio::io_context& context, http::Endpoint endpoint, const ArgoRequest& request,
               cluster::Done<doc::Value> done);

}  // namespace tiphys::server
