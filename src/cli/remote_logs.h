// The logs of a workflow as a server of Argo's API tells them.
#pragma once

#include "argo/call.h"
#include "argo/pod_logs.h"

namespace tiphys::cli {

/// As argo::read_pod_logs, by WorkflowService's WorkflowLogs. Of a line's pod its name alone is known, and not when the
/// line was written.
std::unique_ptr<cluster::Watch> read_remote_logs(argo::Services& services, const argo::PodLogRequest& request, Time now,
                                                 argo::PodLogSink sink);

}  // namespace tiphys::cli
