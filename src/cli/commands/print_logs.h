// The logs of a workflow's pods as one stream, printed.
#pragma once

#include "argo/pod_logs.h"
#include "cli/session.h"
#include "cli/view/style.h"

namespace tiphys::cli {

/// Prints lines as "POD: LINE"; otherwise as argo::read_pod_logs.
Status print_logs(Session& session, const argo::PodLogRequest& request, const Style& style);

}  // namespace tiphys::cli
