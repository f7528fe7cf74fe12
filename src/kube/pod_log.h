// Reading the log of a pod's container.
#pragma once

#include "cluster/cluster.h"
#include "kube/api.h"

namespace tiphys::kube {

/// Kubernetes does not tell the streams apart: all lines are of "stdout".
std::unique_ptr<cluster::Watch> read_pod_log(const std::shared_ptr<Api>& api, const cluster::Key& pod,
                                             const cluster::LogOptions& options, cluster::LogSink sink);

}  // namespace tiphys::kube
