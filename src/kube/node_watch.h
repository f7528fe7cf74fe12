// The nodes of one workflow as they change, from a watch of the workflow.
#pragma once

#include "cluster/cluster.h"
#include "kube/api.h"

namespace tiphys::kube {

std::unique_ptr<cluster::Watch> watch_nodes(const std::shared_ptr<Api>& api, const cluster::Key& workflow,
                                            cluster::Cluster::NodeSink sink);

}  // namespace tiphys::kube
