// A run that has ended goes on: what a user's retry makes of its nodes (workflow/util/util.go: FormulateRetryWorkflow).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/node_status.h"

namespace tiphys::engine {

struct ManualRetryOptions {
  std::set<std::string> restarted{};  ///< ids of nodes that run again even if they have succeeded
  /// The workflow has got other parameters: loops and groups of steps that run again begin anew.
  bool other_parameters = false;
  Time now{};
};

struct ManualRetry {
  std::vector<api::NodeStatus> nodes;  ///< of the run that goes on
  std::vector<std::string> changed;    ///< ids of those among them that are not as they were
  /// Ids of those that are gone. Their pods go before the run goes on: others will have their names.
  std::vector<std::string> removed;
};

/// Failed nodes that ran something go, and what came after them; what is around them runs again. One stays as it is
/// when something after it has succeeded, its hooks apart. Exit handlers of the workflow go in any case.
ManualRetry retry_nodes(std::string_view workflow_name, std::vector<api::NodeStatus> nodes,
                        const ManualRetryOptions& options);

}  // namespace tiphys::engine
