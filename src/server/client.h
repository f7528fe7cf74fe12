// A plane behind a server: the same Cluster, over HTTP.
#pragma once

#include <memory>

#include "cluster/cluster.h"
#include "http/client.h"

namespace tiphys::server {

/// Calls fail with kUnavailable while no server listens. A watch of objects that loses its connection is resumed once
/// where it was; when that fails, and for node watches and logs at once, on_end tells.
/// Destroyed, it answers nothing more. Status updates of workflows are the plane's own business: kUnimplemented.
std::unique_ptr<cluster::Cluster> make_remote_cluster(boost::asio::io_context& context, http::Endpoint endpoint);

/// Reads the page /configz of a server: a document. Fails as the calls of a Cluster do.
void read_config(boost::asio::io_context& context, http::Endpoint endpoint, cluster::Done<cluster::Object> done);

}  // namespace tiphys::server
