// Exit handlers, and how the run ends.
#include <fmt/format.h>

#include <algorithm>

#include "engine/machine.h"
#include "engine/names.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

RunStatus::Phase run_phase(api::NodePhase phase) {
  switch (phase) {
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

}  // namespace

bool Machine::executes(bool on_exit) const {
  return shutdown_.empty() || (shutdown_ == "Stop" && on_exit);
}

/// True when the node has an exit handler, begun now or before: its end settles the node.
bool Machine::begin_exit_hook(NodeIndex index) {
  const Node& node = nodes_[index];
  Frame* frame = frame_of(node.boundary);
  if (!frame) return false;
  for (const NodeIndex child : node.children) {
    if (nodes_[child].owner == Owner::kHook) return true;
  }
  const CompiledStep& step = frame->plan->tasks[node.task];
  if (!step.exit || !node.completed() || !executes(true)) return false;

  Call call;
  call.name = on_exit_name(node.name);
  call.template_name = step.exit->template_name;
  call.template_ref = step.exit->template_ref;
  call.plan = step.exit->target;
  call.boundary = frame->node;
  call.owner = Owner::kHook;
  call.owner_node = index;
  call.depth = nodes_[frame->node].depth + 1;
  call.hooked = true;
  call.on_exit = true;
  SiblingVariables variables(*this, frame->node);
  variables.set_self(node.task, index);
  Arguments arguments;
  const ArgumentsPlan& plan = step.exit->arguments;
  for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
    if (!plan.source->parameters[i].value) continue;
    auto value = render(plan.parameters[i], globals(), variables, Leftover::kKeep);
    if (!value && value.error().code != Code::kFailedPrecondition) {
      fail_to_begin(call, value.error().message);
      return true;
    }
    arguments.parameters.push_back({plan.source->parameters[i].name, std::nullopt});
    if (value) arguments.parameters.back().value = std::move(*value);
  }
  for (const ArtifactPlan& artifact_plan : plan.artifacts) {
    auto artifact = resolve_artifact(artifact_plan, variables, frame->node);
    if (!artifact && !artifact_plan.source->optional) {
      fail_to_begin(call, "unable to resolve references: " + artifact.error().message);
      return true;
    }
    if (artifact && *artifact) arguments.artifacts.push_back(std::move(**artifact));
  }
  begin(call, arguments);
  return true;
}

void Machine::entry_ended() {
  if (status_.finished()) return;
  const ExitPlan* exit = plans_.exit();
  if (!exit || (exit_ == kNoNode && !executes(true))) return finish();
  if (exit_ != kNoNode) return;
  globals_.set("workflow.status", std::string(phase_name(run_phase(nodes_[entry_].phase))));
  globals_.set("workflow.failures", failed_nodes());
  Call call;
  call.name = on_exit_name(workflow_.name);
  call.template_name = exit->template_name;
  call.template_ref = exit->template_ref;
  call.plan = exit->target;
  call.owner = Owner::kExit;
  call.hooked = true;
  call.on_exit = true;
  Arguments arguments;
  for (const api::Parameter& parameter : exit->arguments.source->parameters) {
    if (parameter.value) arguments.parameters.push_back({parameter.name, parameter.value});
  }
  for (const ArtifactPlan& plan : exit->arguments.artifacts) {
    auto artifact = resolve_artifact(plan, BodyVariables(*this, entry_), kNoNode);
    if (artifact && *artifact) arguments.artifacts.push_back(std::move(**artifact));
  }
  begin(call, arguments);
}

void Machine::finish() {
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
