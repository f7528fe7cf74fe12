// Answers that go on: watches and logs.
#pragma once

#include <memory>

#include "cluster/cluster.h"
#include "server/routes.h"

namespace tiphys::server {

void stream_objects(cluster::Cluster& cluster, const cluster::Resource& resource, cluster::WatchOptions options,
                    const std::shared_ptr<Responder>& responder);
void stream_nodes(cluster::Cluster& cluster, const cluster::Key& workflow, const std::shared_ptr<Responder>& responder);
/// Lines as the container wrote them, led by their time when options.timestamps; or in CRI's form. An error before the
/// first line is answered as such, with its HTTP code.
void stream_log(cluster::Cluster& cluster, const cluster::Key& pod, cluster::LogOptions options, bool cri,
                const std::shared_ptr<Responder>& responder);

}  // namespace tiphys::server
