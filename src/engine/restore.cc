// A restored run goes on. The nodes say where each template stands; what a frame keeps besides is worked out again, and
// every end that may not have been acted on is told once more.
#include <algorithm>

#include "engine/machine.h"
#include "engine/variables.h"

namespace tiphys::engine {

/// After a restart: asks again for what may be lost, and goes on where the run stood.
void Machine::resume() {
  if (exit_ != kNoNode) {
    globals_.set("workflow.status", std::string(nodes_[entry_].phase == api::NodePhase::kFailed  ? "Failed"
                                                : nodes_[entry_].phase == api::NodePhase::kError ? "Error"
                                                                                                 : "Succeeded"));
    globals_.set("workflow.failures", failed_nodes());
  }
  const auto count = static_cast<NodeIndex>(nodes_.size());
  for (NodeIndex index = 0; index < count; ++index) {
    const Node& node = nodes_[index];
    const bool holds_others = node.type == api::NodeType::kSteps || node.type == api::NodeType::kDag;
    if (holds_others && !node.fulfilled() && node.plan && !node.asks_cache() && !node.asks_locks())
      restore_frame(index, members_[index]);
  }
  // Frames count what their members are: only now do they exist.
  for (NodeIndex index = 0; index < count; ++index) {
    const Node& node = nodes_[index];
    if (Frame* frame = frame_of(node.boundary)) count_in_frame(node, *frame, 1);
    phase_seen(index);
    if (node.daemoned && node.boundary == kNoNode) daemons_.push_back(index);
    if (node.lets_pass() && node.owner != Owner::kGroup) push(Action::Kind::kEnded, index);
    if (!node.fulfilled()) wake(index);
  }
  members_.clear();
}

void Machine::wake(NodeIndex index) {
  Node& node = nodes_[index];
  if (node.asks_locks()) return ask_locks(index);
  if (!node.asks_cache()) emit_realtime(index);
  if (node.asks_cache()) {
    auto question = cache_question(*node.plan, BodyVariables(*this, index));
    return question ? ask_cache(index, std::move(*question)) : errored(index, question.error().message);
  }
  switch (node.type) {
    case api::NodeType::kPod:
      if (node.plan) ask_for_pod(index);
      // That the text is one was found when the pod was first asked for.
      if (node.phase == api::NodePhase::kPending && node.plan) (void)set_pending_timer(index);
      return;
    case api::NodeType::kSuspend:
      if (node.plan && !node.plan->suspend_duration.empty()) {
        const auto text = render(node.plan->suspend_duration, globals(), BodyVariables(*this, index), Leftover::kKeep);
        const auto duration = text ? parse_seconds_or_duration(*text) : std::unexpected(text.error());
        if (duration) set_timer({node.started_at + *duration, Timer::Kind::kSuspend, index});
      }
      return;
    case api::NodeType::kRetry:
      return push(Action::Kind::kRetry, index);
    case api::NodeType::kSteps:
    case api::NodeType::kDag:
      return push(Action::Kind::kWake, index);
    default:
      return;
  }
}

void Machine::restore_frame(NodeIndex index, const std::vector<NodeIndex>& members) {
  Node& node = nodes_[index];
  node.frame = std::make_unique<Frame>();
  Frame& frame = *node.frame;
  frame.node = index;
  frame.plan = node.plan;
  frame.tasks.resize(node.plan->tasks.size());
  std::vector<std::vector<NodeIndex>> turns(node.plan->tasks.size());
  for (const NodeIndex member_index : members) {
    const Node& member = nodes_[member_index];
    if (member.type == api::NodeType::kStepGroup) {
      if (frame.group_node == kNoNode || member.turn > frame.group) {
        frame.last_group_node = frame.group_node;
        frame.group_node = member_index;
        frame.group = member.turn;
      }
    } else if (member.type == api::NodeType::kTaskGroup) {
      frame.tasks[member.task].node = member_index;
    } else if (member.owner == Owner::kTask && member.turn == kNoTask) {
      frame.tasks[member.task].node = member_index;
    } else if (member.owner == Owner::kTask) {
      turns[member.task].push_back(member_index);
    }
  }
  for (std::uint32_t task = 0; task < turns.size(); ++task) {
    if (turns[task].empty()) continue;
    Expansion& loop = frame.loops[task];
    for (const NodeIndex turn : turns[task]) {
      const std::uint32_t at = nodes_[turn].turn;
      if (loop.turns.size() <= at) loop.turns.resize(at + 1, kNoNode);
      loop.turns[at] = turn;
    }
  }
  restore_daemons(frame, members);
  if (node.plan->dag()) {
    restore_dag(frame);
  } else {
    restore_steps(frame);
  }
}

/// Works a loop that has begun out again, so that its other turns can begin.
void Machine::restore_loop(Frame& frame, std::uint32_t task) {
  auto step = resolve_step(frame, task);
  auto expansion = step ? expand(frame, task, std::move(*step)) : std::unexpected(step.error());
  Expansion& loop = frame.loops[task];
  if (!expansion || expansion->items.size() < loop.turns.size()) {
    loop.open = static_cast<std::uint32_t>(loop.turns.size());
    loop.next = loop.open;
    return;
  }
  std::ranges::copy(loop.turns, expansion->turns.begin());
  loop = std::move(*expansion);
  while (loop.next < loop.turns.size() && loop.turns[loop.next] != kNoNode) ++loop.next;
  if (loop.next < loop.turns.size()) frame.held.push(task);
}

void Machine::restore_steps(Frame& frame) {
  if (frame.group_node == kNoNode) return;
  const std::uint32_t begin = frame.plan->group_begin[frame.group], end = frame.plan->group_begin[frame.group + 1];
  for (std::uint32_t task = 0; task < begin; ++task) {
    if (frame.tasks[task].stage == TaskStage::kWaiting) frame.tasks[task].stage = TaskStage::kSettled;
  }
  const bool stopping = nodes_[frame.group_node].fulfilled() || frame.fallen_group != kNoNode;
  frame.stopping = stopping;
  for (std::uint32_t task = begin; task < end; ++task) {
    TaskState& state = frame.tasks[task];
    const auto loop = frame.loops.find(task);
    const bool begun = state.node != kNoNode || loop != frame.loops.end();
    if (stopping) {
      if (begun) ++frame.open;
      state.stage = begun ? TaskStage::kBegun : TaskStage::kSettled;
      if (loop == frame.loops.end()) continue;
      loop->second.open = static_cast<std::uint32_t>(
          std::ranges::count_if(loop->second.turns, [](NodeIndex turn) { return turn != kNoNode; }));
      continue;
    }
    ++frame.open;
    state.stage = TaskStage::kBegun;
    if (state.node != kNoNode) continue;
    if (frame.plan->tasks[task].loop) {
      restore_loop(frame, task);
    } else {
      frame.held.push(task);
    }
  }
}

void Machine::restore_dag(Frame& frame) {
  const CompiledTemplate& plan = *frame.plan;
  for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) {
    frame.tasks[task].unsettled = static_cast<std::uint32_t>(plan.dependencies(task).size());
    if (frame.tasks[task].node == kNoNode) continue;
    frame.tasks[task].stage = TaskStage::kBegun;
    ++frame.open;
    if (nodes_[frame.tasks[task].node].type != api::NodeType::kTaskGroup) continue;
    if (nodes_[frame.tasks[task].node].fulfilled()) {
      frame.ended_groups.push_back(task);
    } else {
      restore_loop(frame, task);
    }
  }
}

/// A restored frame goes on: what was due and is not there begins now.
void Machine::wake_frame(Frame& frame) {
  failed_fast(frame);
  for (const std::uint32_t task : std::exchange(frame.ended_groups, {})) {
    const NodeIndex group = frame.tasks[task].node;
    hooked_step(group) ? leave(group) : task_settled(frame, task);
  }
  if (frame.plan->dag()) {
    for (std::uint32_t task = 0; task < frame.plan->tasks.size(); ++task) {
      if (frame.plan->needed[task] && frame.tasks[task].unsettled == 0) task_due(frame, task);
    }
  } else if (frame.group_node == kNoNode) {
    return frame.plan->group_count() == 0 ? end_steps(frame) : begin_group(frame, 0);
  }
  pump(frame);
  if (frame.open == 0) push(Action::Kind::kAdvance, frame.node);
}

}  // namespace tiphys::engine
