// The nodes that a memoized resubmission takes over from the run that it follows (workflow/util/util.go:
// FormulateResubmitWorkflow).
#pragma once

#include <string_view>
#include <vector>

#include "api/node_status.h"

namespace tiphys::engine {

/// What has succeeded is skipped, with its outputs; what is around goes on; what failed is left out and runs anew, and
/// so is what was skipped or omitted unless something after it has succeeded.
std::vector<api::NodeStatus> resubmit_nodes(std::string_view before, std::vector<api::NodeStatus> nodes,
                                            std::string_view after, Time now);

}  // namespace tiphys::engine
