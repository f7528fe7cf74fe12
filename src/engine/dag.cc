// Dags: a task is due when all that it depends on is settled.
#include <fmt/format.h>

#include <algorithm>

#include "engine/machine.h"
#include "engine/names.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

/// The phases that a branch of the dag has come to.
enum Branch : std::uint8_t {
  kBranchSucceeded = 1,
  kBranchFailed = 2,
  kBranchError = 4,
  kBranchOfBoundary = 8,  ///< whatever the dag itself comes to, seen from outside; from within: Succeeded
};

std::uint8_t branch_of(api::NodePhase phase) {
  switch (phase) {
    case api::NodePhase::kFailed:
      return kBranchFailed;
    case api::NodePhase::kError:
      return kBranchError;
    default:
      return kBranchSucceeded;
  }
}

std::uint16_t result_bits(api::NodePhase phase) {
  switch (phase) {
    case api::NodePhase::kSucceeded:
      return expr::kSucceeded;
    case api::NodePhase::kFailed:
      return expr::kFailed;
    case api::NodePhase::kError:
      return expr::kErrored;
    case api::NodePhase::kSkipped:
      return expr::kSkipped;
    case api::NodePhase::kOmitted:
      return expr::kOmitted;
    default:
      return 0;
  }
}

std::uint16_t bare_bits(const api::ContinueOn& rule) {
  std::uint16_t bits = expr::kSucceeded | expr::kSkipped | expr::kDaemoned;
  if (rule.error) bits |= expr::kErrored;
  if (rule.failed) bits |= expr::kFailed;
  return bits;
}

}  // namespace

Result<std::shared_ptr<const DagTargets>> Machine::find_targets(NodeIndex index) {
  const CompiledTemplate& plan = *nodes_[index].plan;
  if (plan.targets) return plan.targets;
  TIPHYS_TRY(const std::string names, render(plan.target, globals(), BodyVariables(*this, index), Leftover::kFailAll));
  TIPHYS_TRY(DagTargets targets, dag_targets(plan, names));
  return std::make_shared<const DagTargets>(std::move(targets));
}

void Machine::begin_dag(Frame& frame) {
  const CompiledTemplate& plan = *frame.plan;
  auto targets = find_targets(frame.node);
  if (!targets) return errored(frame.node, targets.error().message);
  frame.targets = std::move(*targets);
  for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) {
    frame.tasks[task].unsettled = static_cast<std::uint32_t>(plan.dependencies(task).size());
  }
  for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) {
    if (frame.targets->needs(task) && plan.dependencies(task).empty()) task_due(frame, task);
  }
  if (frame.open == 0) push(Action::Kind::kAdvance, frame.node);
}

void Machine::task_due(Frame& frame, std::uint32_t task) {
  TaskState& state = frame.tasks[task];
  if (state.stage != TaskStage::kWaiting || failed_fast(frame) || frame.stopping) return;
  state.stage = TaskStage::kBegun;
  ++frame.open;
  const CompiledStep& step = frame.plan->tasks[task];
  if (!depends_hold(frame, task)) return omit(frame, task);
  if (!step.loop) {
    frame.held.push(task);
    return pump(frame);
  }
  auto resolved = resolve_step(frame, task);
  if (!resolved) {
    create_ended(task_call(frame, task), api::NodePhase::kError, resolved.error().message);
    return;
  }
  auto expansion = expand(frame, task, std::move(*resolved));
  if (!expansion) {
    create_ended(task_call(frame, task), api::NodePhase::kError, expansion.error().message);
  } else if (expansion->items.empty()) {
    create_ended(task_call(frame, task), api::NodePhase::kSkipped, "Skipped, empty params");
  } else {
    begin_loop(frame, task, std::move(*expansion));
  }
}

void Machine::omit(Frame& frame, std::uint32_t task) {
  create_ended(task_call(frame, task), api::NodePhase::kOmitted, "omitted: depends condition not met");
}

bool Machine::depends_hold(const Frame& frame, std::uint32_t task) const {
  const CompiledTemplate& plan = *frame.plan;
  const auto results = [&](std::uint32_t dependency) -> std::uint16_t {
    const NodeIndex index = frame.tasks[dependency].node;
    if (index == kNoNode) return 0;
    const Node& node = nodes_[index];
    std::uint16_t bits = node.daemoned ? std::uint16_t{expr::kDaemoned} : result_bits(node.phase);
    if (node.type != api::NodeType::kTaskGroup) return bits;
    const auto phase_of = [&](NodeIndex child) { return nodes_[child].phase; };
    using enum api::NodePhase;
    if (std::ranges::any_of(node.children, [&](auto child) { return phase_of(child) == kSucceeded; })) {
      bits |= expr::kAnySucceeded;
    }
    if (!node.children.empty() &&
        std::ranges::all_of(node.children, [&](auto child) { return phase_of(child) == kFailed; })) {
      bits |= expr::kAllFailed;
    }
    return bits;
  };
  const auto bare = [&](std::uint32_t dependency) { return bare_bits(plan.tasks[dependency].source->continue_on); };
  const CompiledStep& step = plan.tasks[task];
  if (!step.depends) {
    return std::ranges::all_of(plan.dependencies(task),
                               [&](std::uint32_t dependency) { return (results(dependency) & bare(dependency)) != 0; });
  }
  return step.depends->eval([&](std::size_t i) { return results(step.depends_tasks[i]); },
                            [&](std::size_t i) { return bare(step.depends_tasks[i]); });
}

void Machine::end_dag(Frame& frame) {
  if (frame.plan->source->fail_fast && frame.unsuccessful > 0) {
    return set_phase(frame.node, api::NodePhase::kFailed, std::string(kFailFast));
  }
  const bool shut_down = !shutdown_.empty() && !nodes_[frame.node].on_exit;
  const api::NodePhase phase = shut_down ? api::NodePhase::kFailed : assess_dag(frame);
  std::vector<NodeIndex> outbound;
  for (const std::uint32_t target : frame.targets->tasks) {
    if (frame.tasks[target].node != kNoNode) outbound_nodes(frame.tasks[target].node, outbound);
  }
  set_outbound(frame.node, std::move(outbound));
  if (phase != api::NodePhase::kSucceeded) return set_phase(frame.node, phase);
  end_with_outputs(frame);
}

/// By the targets: the first that failed decides, or the last one in a dag without failFast. One that was omitted or
/// skipped counts as what its branch last came to, failures first.
api::NodePhase Machine::assess_dag(const Frame& frame) const {
  auto result = api::NodePhase::kSucceeded;
  for (const std::uint32_t target : frame.targets->tasks) {
    const NodeIndex index = frame.tasks[target].node;
    const std::uint8_t branch = index == kNoNode            ? std::uint8_t{kBranchFailed}
                                : nodes_[index].completed() ? branch_of(nodes_[index].phase)
                                                            : inherited_branch(frame, target);
    const auto phase = branch & kBranchFailed  ? api::NodePhase::kFailed
                       : branch & kBranchError ? api::NodePhase::kError
                                               : api::NodePhase::kSucceeded;
    if (phase == api::NodePhase::kSucceeded) continue;
    if (continues_on(frame.plan->tasks[target].source->continue_on, phase)) continue;
    result = phase;
    if (frame.plan->source->dag->fail_fast) break;
  }
  return result;
}

/// What comes to a task from the outbound nodes of those it depends on.
std::uint8_t Machine::inherited_branch(const Frame& frame, std::uint32_t task) const {
  const auto dependencies = frame.plan->dependencies(task);
  if (dependencies.empty()) return kBranchOfBoundary;
  std::uint8_t branch = 0;
  for (const std::uint32_t dependency : dependencies) {
    const NodeIndex index = frame.tasks[dependency].node;
    if (index != kNoNode) branch |= passed_branch(index);
  }
  return branch;
}

/// After the end of a daemon: what the omitted, skipped and daemoned tasks after it got from it has changed.
void Machine::pass_branch_on(Frame& frame, std::uint32_t task) {
  std::vector<std::uint32_t> changed{task};
  while (!changed.empty()) {
    const std::uint32_t before = changed.back();
    changed.pop_back();
    for (const std::uint32_t after : frame.plan->dependents(before)) {
      const NodeIndex index = frame.tasks[after].node;
      if (index == kNoNode || !nodes_[index].lets_pass() || nodes_[index].completed()) continue;
      const std::uint8_t branch = inherited_branch(frame, after);
      if (std::exchange(nodes_[index].branch, branch) != branch) changed.push_back(after);
    }
  }
}

/// What a node that has ended passes on. kBranchOfBoundary stays open: only seen from outside its boundary has a phase.
std::uint8_t Machine::passed_branch(NodeIndex index) const {
  const Node& node = nodes_[index];
  if (!node.completed()) {
    return node.owner_node == kNoNode ? node.branch : branch_of(nodes_[node.owner_node].phase);
  }
  std::uint8_t branch = 0;
  if (node.type == api::NodeType::kTaskGroup) {
    for (const NodeIndex child : node.children) branch |= passed_branch(child);
  } else if (node.extra && (node.type == api::NodeType::kSteps || node.type == api::NodeType::kDag)) {
    for (const NodeIndex out : node.extra->outbound) {
      branch |= passed_branch(out);
      if (!(branch & kBranchOfBoundary)) continue;
      branch &= static_cast<std::uint8_t>(~kBranchOfBoundary);
      branch |= branch_of(nodes_[nodes_[out].boundary].phase);
    }
  }
  return branch == 0 ? branch_of(node.phase) : branch;
}

}  // namespace tiphys::engine
