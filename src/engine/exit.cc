// Exit handlers, and how the run ends.
#include <fmt/format.h>

#include "engine/machine.h"
#include "engine/names.h"

namespace tiphys::engine {

RunStatus::Phase run_phase(api::NodePhase phase) {
  switch (phase) {
    case api::NodePhase::kPending:
      return RunStatus::Phase::kPending;
    case api::NodePhase::kFailed:
      return RunStatus::Phase::kFailed;
    case api::NodePhase::kError:
      return RunStatus::Phase::kError;
    case api::NodePhase::kSucceeded:
    case api::NodePhase::kSkipped:
    case api::NodePhase::kOmitted:
      return RunStatus::Phase::kSucceeded;
    default:
      return RunStatus::Phase::kRunning;
  }
}

bool Machine::executes(bool on_exit) const {
  return shutdown_.empty() || (shutdown_ == "Stop" && on_exit);
}

/// True when an exit handler of the node runs, begun now or before: its end settles the node.
bool Machine::begin_exit_hook(NodeIndex index) {
  const Node& node = nodes_[index];
  Frame* frame = frame_of(node.boundary);
  if (!frame || node.owner != Owner::kTask) return false;
  const CompiledStep& step = frame->plan->tasks[node.task];
  if (!step.exit) return false;
  std::string name = on_exit_name(node.name);
  if (const NodeIndex begun = find_hook(index, name); begun != kNoNode) return !nodes_[begun].fulfilled();
  if (!node.completed() || !executes(true)) return false;
  if (!step.exit->expression.empty()) {
    const auto due = hook_due(index, *step.exit);
    if (!due) hook_failed(index, due.error().message);
    if (!due || !*due) return false;
  }
  begin_hook(index, *step.exit, static_cast<std::uint32_t>(step.hooks.size()), std::move(name));
  return true;
}

void Machine::entry_ended() {
  if (status_.finished() || exit_ != kNoNode) return;
  // For the templates of hooks and of the exit handler; the run's own status comes later.
  const auto tell_how_it_went = [this] {
    globals_.set("workflow.status", std::string(phase_name(run_phase(nodes_[entry_].phase))));
    globals_.set("workflow.failures", failed_nodes());
  };
  if (!plans_.hooks().empty()) tell_how_it_went();
  consider_workflow_hooks();
  if (hooks_open(entry_)) return;
  const HookPlan* exit = plans_.exit();
  if (!exit || !executes(true)) return finish();
  tell_how_it_went();
  begin_workflow_hook(*exit, static_cast<std::uint32_t>(plans_.hooks().size()), on_exit_name(workflow_.name));
}

void Machine::finish() {
  end_daemons(daemons_);
  const Node& entry = nodes_[entry_];
  const RunStatus::Phase phase = run_phase(entry.phase);
  if (phase != RunStatus::Phase::kSucceeded) {
    const bool stopped = entry.failed_or_error() && !shutdown_.empty();
    return end_run(phase, stopped ? fmt::format("Stopped with strategy '{}'", shutdown_) : entry.message);
  }
  // A run whose exit handler failed has failed too.
  if (exit_ != kNoNode && nodes_[exit_].failed_or_error()) {
    return end_run(run_phase(nodes_[exit_].phase), nodes_[exit_].message);
  }
  end_run(RunStatus::Phase::kSucceeded, "");
}

}  // namespace tiphys::engine
