// The client's side of watches and logs.
#pragma once

#include <memory>

#include "cluster/cluster.h"
#include "http/client.h"

namespace tiphys::server {

std::unique_ptr<cluster::Watch> watch_objects(const http::Client& client, const cluster::Resource& resource,
                                              const cluster::WatchOptions& options, cluster::WatchSink sink);
std::unique_ptr<cluster::Watch> watch_workflow_nodes(const http::Client& client, const std::string& path,
                                                     cluster::Cluster::NodeSink sink);
std::unique_ptr<cluster::Watch> read_pod_log(const http::Client& client, const std::string& path,
                                             const cluster::LogOptions& options, cluster::LogSink sink);

}  // namespace tiphys::server
