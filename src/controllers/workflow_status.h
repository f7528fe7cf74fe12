// A run's status as fields, labels and annotations of its workflow.
#pragma once

#include "cluster/cluster.h"
#include "engine/run.h"

namespace tiphys::controllers {

/// What of a workflow's status has been written, so that only what differs is written again.
struct PublishedStatus {
  bool any = false;
  engine::RunStatus status;
  bool pod_running = false;
  bool went_on = false;  ///< it had ended before: there is a condition that says that it has not now

  /// Adds to `update` what differs between this and the run, as the original names it; gives what holds once the
  /// update is written.
  PublishedStatus add_changes(const engine::RunStatus& now, bool now_pod_running,
                              cluster::WorkflowStatusUpdate& update) const;
};

/// The message of a workflow that does not begin yet because too many are under way, and its status.
inline constexpr std::string_view kPostponed =
    "Workflow processing has been postponed because too many workflows are already running";
cluster::WorkflowStatusUpdate postponed_status();
/// It is being worked on, or has been: not new, and not merely postponed.
bool has_begun(const doc::Value& workflow);
/// It has ended before, or goes on where another has ended.
bool has_completed_condition(const doc::Value& workflow);
/// `status` of a stored workflow without its nodes.
Result<engine::RunStatus> read_run_status(const doc::Value& workflow);
/// The nodes in `status.nodes` of a stored workflow.
Result<std::vector<api::NodeStatus>> read_nodes(const doc::Value& workflow);

}  // namespace tiphys::controllers
