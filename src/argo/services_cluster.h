// A plane of which only Argo's API is there, as a Cluster.
#pragma once

#include <memory>

#include "argo/call.h"
#include "cluster/cluster.h"

namespace tiphys::argo {

/// Workflows, their templates and CronWorkflows, each by the methods of its service; one workflow by its name is
/// watched, and its nodes. `services` outlives it. kUnimplemented, told from inside the call: other resources, and what
/// there is no method for, as patches and the logs of pods.
std::unique_ptr<cluster::Cluster> make_services_cluster(Services& services);

}  // namespace tiphys::argo
