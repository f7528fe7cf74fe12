// Daemons: nodes that let those after them go on while they run, and are ended with their scope.
#include <fmt/format.h>

#include <algorithm>

#include "engine/machine.h"

namespace tiphys::engine {

void Machine::become_daemon(NodeIndex index) {
  Node& node = nodes_[index];
  node.daemoned = true;
  nodes_.touch(index);
  // As in the original: its locks are for what goes before, not for what it serves.
  release_locks(index);
  refresh_held(node.boundary);
  if (Frame* frame = frame_of(node.boundary)) {
    frame->daemons.push_back(index);
    const bool single = node.owner == Owner::kTask && node.turn == kNoTask;
    if (single && frame->plan->dag()) node.branch = inherited_branch(*frame, node.task);
  } else {
    daemons_.push_back(index);
  }
  push(Action::Kind::kEnded, index);
}

/// Of a node that others went on with, and that is one no more.
void Machine::lost_daemon(NodeIndex index) {
  refresh_held(nodes_[index].boundary);
  push(Action::Kind::kDied, index);
}

/// It was to run on. Another attempt may follow; else its hooks and its exit handler begin, which others wait for once
/// more, and a group of steps fails, even a past one.
void Machine::daemon_died(NodeIndex index) {
  const Node& node = nodes_[index];
  Frame* frame = frame_of(node.boundary);
  if (frame) failed_fast(*frame);
  if (node.owner == Owner::kAttempt) return push(Action::Kind::kRetry, node.owner_node);
  if (!frame || nodes_[frame->node].fulfilled() || node.owner != Owner::kTask) return;
  if (frame->plan->dag()) {
    pass_branch_on(*frame, node.task);
    omit_held(*frame);
  }
  if (of_ended_loop(*frame, node)) return;
  consider_hooks(index);
  if (node.left && begin_exit_hook(index)) reopen(*frame, index);
  fail_past_group(*frame, index);
}

/// An ended loop of a dag is not looked at again.
bool Machine::of_ended_loop(const Frame& frame, const Node& node) const {
  return node.owner == Owner::kTask && node.turn != kNoTask && frame.plan->dag() && nodes_[node.owner_node].fulfilled();
}

/// Takes back that the task, or turn, is settled.
void Machine::reopen(Frame& frame, NodeIndex index) {
  Node& node = nodes_[index];
  node.left = false;
  if (node.turn != kNoTask) ++frame.loops.at(node.task).open;
  TaskState& state = frame.tasks[node.task];
  if (state.stage != TaskStage::kSettled) return;
  state.stage = TaskStage::kBegun;
  ++frame.open;
  if (!frame.plan->dag()) return;
  for (const std::uint32_t dependent : frame.plan->dependents(node.task)) ++frame.tasks[dependent].unsettled;
}

/// Steps: a failed member of a group before the current one can only be a daemon. The frame ends as that group has.
void Machine::fail_past_group(Frame& frame, NodeIndex index) {
  const Node& node = nodes_[index];
  const NodeIndex group = node.owner_node;
  if (!frame.plan->steps() || group == kNoNode || group == frame.group_node || !node.failed_or_error()) return;
  if (continues_on(frame.plan->tasks[node.task].source->continue_on, node.phase)) return;
  if (frame.fallen_group == kNoNode || nodes_[group].turn < nodes_[frame.fallen_group].turn) {
    frame.fallen_group = group;
  }
  if (!nodes_[group].failed_or_error()) {
    set_phase(group, api::NodePhase::kFailed, fmt::format("child '{}' failed", nodes_.id(index)));
  }
  stop_frame(frame);
}

/// What a step takes from a daemon changes with it: those that parallelism holds back are resolved again.
void Machine::refresh_held(NodeIndex boundary) {
  Frame* frame = frame_of(boundary);
  if (!frame || frame->held.empty()) return;
  std::erase_if(resolved_, [&](const auto& held) { return held.first >> 32 == boundary; });
  std::vector<std::uint32_t> loops;
  for (const auto& [task, loop] : frame->loops) {
    const TaskState& state = frame->tasks[task];
    const bool closed = state.stage != TaskStage::kBegun || (state.node != kNoNode && nodes_[state.node].fulfilled());
    if (!closed && loop.next < loop.turns.size()) loops.push_back(task);
  }
  for (const std::uint32_t task : loops) refresh_loop(*frame, task);
}

/// A loop keeps the turns that have begun. When its items cannot be had any more it has no others.
void Machine::refresh_loop(Frame& frame, std::uint32_t task) {
  Expansion& loop = frame.loops.at(task);
  std::uint32_t begun = 0;
  for (std::uint32_t turn = 0; turn < loop.turns.size(); ++turn) {
    if (loop.turns[turn] != kNoNode) begun = turn + 1;
  }
  auto step = resolve_step(frame, task);
  auto expansion = step ? expand(frame, task, std::move(*step)) : std::unexpected(step.error());
  const bool usable = expansion && expansion->items.size() >= begun;
  const auto count = usable ? static_cast<std::uint32_t>(expansion->items.size()) : begun;
  const auto open = static_cast<std::uint32_t>(loop.open + count - loop.turns.size());
  loop.turns.resize(count, kNoNode);
  if (usable) {
    std::ranges::copy(loop.turns, expansion->turns.begin());
    loop = std::move(*expansion);
  }
  loop.open = open;
  loop.next = 0;
  while (loop.next < loop.turns.size() && loop.turns[loop.next] != kNoNode) ++loop.next;
  if (open == 0) end_loop(frame, task);
}

void Machine::end_daemons(const std::vector<NodeIndex>& daemons) {
  for (const NodeIndex index : daemons) {
    Node& node = nodes_[index];
    if (!std::exchange(node.daemoned, false)) continue;
    if (node.type == api::NodeType::kPod) stop_pod(index);
    // An attempt that was to take the place of one that died is not needed any more.
    const NodeIndex last = node.type == api::NodeType::kRetry ? last_attempt(node) : kNoNode;
    if (last != kNoNode && !nodes_[last].lets_pass()) {
      stop_pod(last);
      set_phase(last, api::NodePhase::kSucceeded);
    }
    set_phase(index, api::NodePhase::kSucceeded);
    Frame* frame = frame_of(node.boundary);
    if (frame && frame->plan->dag() && node.owner == Owner::kTask) pass_branch_on(*frame, node.task);
  }
}

/// Of a restored frame whose current group is known.
void Machine::restore_daemons(Frame& frame, const std::vector<NodeIndex>& members) {
  for (const NodeIndex index : members) {
    const Node& node = nodes_[index];
    if (node.daemoned) frame.daemons.push_back(index);
    // After a user's retry there may be later groups, too.
    const bool past = frame.plan->steps() && node.owner == Owner::kTask && nodes_[node.owner_node].turn < frame.group;
    if (!past || !node.failed_or_error()) continue;
    if (awaits_hook(index)) {
      const auto loop = frame.loops.find(node.task);
      if (loop != frame.loops.end()) loop->second.open = static_cast<std::uint32_t>(loop->second.turns.size());
      if (std::exchange(frame.tasks[node.task].stage, TaskStage::kBegun) != TaskStage::kBegun) ++frame.open;
    }
    if (continues_on(frame.plan->tasks[node.task].source->continue_on, node.phase)) continue;
    if (frame.fallen_group == kNoNode || nodes_[node.owner_node].turn < nodes_[frame.fallen_group].turn) {
      frame.fallen_group = node.owner_node;
    }
  }
}

}  // namespace tiphys::engine
