// A restored run goes on. The nodes say where each template stands; what a frame keeps besides is worked out again, and
// every end that may not have been acted on is told once more.
#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "engine/machine.h"
#include "engine/names.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

std::uint32_t begun_turns(const Expansion& loop) {
  return static_cast<std::uint32_t>(std::ranges::count_if(loop.turns, [](NodeIndex turn) { return turn != kNoNode; }));
}

}  // namespace

/// After a restart: asks again for what may be lost, and goes on where the run stood.
void Machine::resume(bool inputs_anew) {
  if (exit_ != kNoNode || (entry_ != kNoNode && awaits_hook(entry_))) {
    const Node& entry = nodes_[entry_];
    if (entry.lets_pass()) globals_.set("workflow.status", std::string(phase_name(run_phase(entry.phase))));
    globals_.set("workflow.failures", failed_nodes());
  }
  give_up_unplaced();
  std::vector<NodeIndex> all(nodes_.size());
  std::iota(all.begin(), all.end(), NodeIndex{0});
  take_up(all, inputs_anew);
}

/// What has a name that tags make no more, after a user's retry with other parameters, and all within: others take its
/// place. The original lets it run for ever.
void Machine::give_up_unplaced() {
  for (NodeIndex index = 0; index < nodes_.size(); ++index) {
    Node& node = nodes_[index];
    if (node.fulfilled() || node.boundary == kNoNode || node.owner != Owner::kGroup) continue;
    const bool placed = node.turn != kNoTask || node.task != kNoTask || node.type == api::NodeType::kContainer;
    if (placed && nodes_[node.boundary].plan) continue;
    count_whole(node, -1);
    node.phase = api::NodePhase::kOmitted;
    node.message = "omitted: its template has no step or task of this name any more";
    node.finished_at = now_;
    node.settled = node.left = true;
    count_whole(node, 1);
    nodes_.touch(index);
  }
}

/// Nodes that were persisted go on, but for those whose turn has not come again.
void Machine::take_up(const std::vector<NodeIndex>& nodes, bool inputs_anew) {
  restore_frames(nodes, inputs_anew);
  // One that wakes may end at once, and with it what sleeps within.
  for (const NodeIndex index : nodes) {
    nodes_[index].asleep = comes_later(index);
    if (nodes_[index].asleep) asleep_.push_back(index);
  }
  // Frames count what their members are: only now do they exist.
  for (const NodeIndex index : nodes) {
    Node& node = nodes_[index];
    if (node.asleep) continue;
    if (Frame* frame = frame_of(node.boundary)) count_in_frame(node, *frame, 1);
    phase_seen(index);
    if (node.daemoned && node.boundary == kNoNode) daemons_.push_back(index);
    if (ended_with_scope(node)) {
      node.settled = node.left = true;
    } else if (node.lets_pass() && node.owner != Owner::kGroup) {
      push(Action::Kind::kEnded, index);
    }
  }
  for (const NodeIndex index : nodes) {
    if (!nodes_[index].asleep && !nodes_[index].fulfilled()) wake(index);
  }
  if (asleep_.empty()) members_.clear();
}

/// From the outermost inwards: what is within hangs on where its boundary stands.
void Machine::restore_frames(const std::vector<NodeIndex>& nodes, bool inputs_anew) {
  std::vector<NodeIndex> order;
  for (const NodeIndex index : nodes) {
    const Node& node = nodes_[index];
    const bool holds_others =
        node.type == api::NodeType::kSteps || node.type == api::NodeType::kDag || node.type == api::NodeType::kRetry;
    if (holds_others && !node.fulfilled() && node.plan && !node.asks_cache() && !node.asks_locks())
      order.push_back(index);
  }
  std::ranges::stable_sort(order, {}, [this](NodeIndex index) { return nodes_[index].depth; });
  for (const NodeIndex index : order) {
    Node& node = nodes_[index];
    node.asleep = comes_later(index);
    if (inputs_anew) resolve_again(index);
    if (node.asleep) continue;
    if (node.type != api::NodeType::kRetry) restore_frame(index, members_[index]);
  }
}

/// After a user's retry: the node belongs to a step or task that waits for others once more. Or what it is a part of
/// has to get its locks again.
bool Machine::comes_later(NodeIndex index) const {
  const Node& node = nodes_[index];
  if (node.owner == Owner::kAttempt && nodes_[node.owner_node].asks_locks()) return true;
  const bool hangs_on_another = node.owner == Owner::kAttempt || node.owner == Owner::kHook;
  if (hangs_on_another && node.boundary != kNoNode) return comes_later(node.owner_node);
  if (node.boundary == kNoNode) return false;
  const Node& around = nodes_[node.boundary];
  if (around.asleep || around.asks_locks()) return true;
  if (!around.frame) return false;
  const Frame& frame = *around.frame;
  if (node.type == api::NodeType::kStepGroup) return node.turn > frame.group;
  return node.task != kNoTask && frame.tasks[node.task].stage == TaskStage::kWaiting;
}

/// The next group of steps is there already. When that has ended, the one after it, and so on: as a restored frame has
/// it.
void Machine::resume_group(Frame& frame, std::uint32_t group, NodeIndex node) {
  for (; node != kNoNode; node = nodes_.find_name(step_group_name(nodes_[frame.node].name, ++group))) {
    frame.last_group_node = std::exchange(frame.group_node, node);
    frame.group = group;
    if (!nodes_[node].fulfilled()) break;
  }
  frame.open = 0;
  frame.looking_around.clear();
  restore_daemons(frame, members_[frame.node]);
  restore_steps(frame);
  take_up(std::exchange(asleep_, {}), false);
  wake_frame(frame);
}

/// Tasks that are there already go on once all that they depend on lets them.
void Machine::resume_dependents(Frame& frame, std::uint32_t task) {
  const auto dependents = frame.plan->dependents(task);
  const std::uint32_t before = frame.open;
  restore_tasks(frame, {dependents.begin(), dependents.end()});
  if (frame.open == before) return;
  take_up(std::exchange(asleep_, {}), false);
  push(Action::Kind::kWake, frame.node);
}

/// A daemon of a group of steps that has passed, which ended when the steps did: a user's retry has opened them again,
/// and there is nothing to hear of it, nor of its hooks.
bool Machine::ended_with_scope(const Node& node) const {
  if (node.owner == Owner::kHook && node.owner_node != kNoNode) return ended_with_scope(nodes_[node.owner_node]);
  if (node.phase != api::NodePhase::kSucceeded || !node.plan || !node.plan->source->daemon) return false;
  if (node.owner != Owner::kTask || node.boundary == kNoNode) return false;
  const Frame* frame = nodes_[node.boundary].frame.get();
  return frame && frame->plan->steps() && node.task < frame->plan->group_begin[frame->group];
}

/// A node that is there already has its locks again.
void Machine::resume_locked(NodeIndex index) {
  restore_frames({index}, other_parameters_);
  take_up(std::exchange(asleep_, {}), other_parameters_);
  wake(index);
}

bool Machine::is_within(NodeIndex index, NodeIndex around) const {
  while (index != kNoNode && index != around) {
    const Node& node = nodes_[index];
    index = node.owner == Owner::kAttempt ? node.owner_node : node.boundary;
  }
  return index == around;
}

bool Machine::sleeps_within(NodeIndex around) const {
  return std::ranges::any_of(asleep_, [&](NodeIndex index) { return is_within(index, around); });
}

/// What they are a part of ends before their turn comes.
void Machine::give_up_asleep(NodeIndex around) {
  const std::string& message = nodes_[around].message;
  std::erase_if(asleep_, [&](NodeIndex index) {
    if (!is_within(index, around)) return false;
    Node& node = nodes_[index];
    node.settled = node.left = true;
    if (node.fulfilled()) return true;
    node.phase = api::NodePhase::kFailed;
    node.message = message;
    node.finished_at = now_;
    nodes_.touch(index);
    return true;
  });
  if (asleep_.empty()) members_.clear();
}

void Machine::wake(NodeIndex index) {
  Node& node = nodes_[index];
  if (node.asks_locks()) return ask_locks(index);
  if (!node.asks_cache()) emit_realtime(index);
  if (node.asks_cache()) {
    auto question = cache_question(*node.plan, BodyVariables(*this, index));
    return question ? ask_cache(index, std::move(*question)) : errored(index, question.error().message);
  }
  if (!begins_pending(node.type) && node.phase == api::NodePhase::kPending) set_phase(index, api::NodePhase::kRunning);
  switch (node.type) {
    case api::NodeType::kHttp:
    case api::NodeType::kPlugin:
    case api::NodeType::kPod:
      if (node.plan) ask_for_pod(index);
      // That the text is one was found when the pod was first asked for.
      if (node.phase == api::NodePhase::kPending && node.plan) (void)set_pending_timer(index);
      return;
    case api::NodeType::kSuspend:
      if (node.plan && node.phase == api::NodePhase::kPending) return wait_suspended(index);
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

/// A task's node, the group of its loop, or one turn of it.
void Machine::put_in_frame(Frame& frame, NodeIndex index) const {
  const Node& node = nodes_[index];
  const bool of_task = node.owner == Owner::kTask || node.type == api::NodeType::kTaskGroup;
  if (!of_task || node.task == kNoTask) return;
  if (node.turn == kNoTask) {
    frame.tasks[node.task].node = index;
    return;
  }
  std::vector<NodeIndex>& turns = frame.loops[node.task].turns;
  if (turns.size() <= node.turn) turns.resize(std::size_t{node.turn} + 1, kNoNode);
  turns[node.turn] = index;
}

void Machine::restore_frame(NodeIndex index, const std::vector<NodeIndex>& members) {
  Node& node = nodes_[index];
  node.frame = std::make_unique<Frame>(index, *node.plan);
  Frame& frame = *node.frame;
  frame.waking = true;
  if (node.plan->dag()) {
    auto targets = find_targets(index);
    frame.targets = targets ? std::move(*targets) : std::make_shared<const DagTargets>();
  }
  std::map<std::uint32_t, NodeIndex> groups;
  for (const NodeIndex member : members) {
    if (nodes_[member].type == api::NodeType::kStepGroup) groups[nodes_[member].turn] = member;
    put_in_frame(frame, member);
  }
  for (const auto& [group, group_node] : groups) {
    // After a user's retry those after it may be there, too.
    if (frame.group_node != kNoNode && !nodes_[frame.group_node].fulfilled()) break;
    frame.last_group_node = std::exchange(frame.group_node, group_node);
    frame.group = group;
  }
  restore_daemons(frame, members);
  if (node.plan->dag()) {
    restore_dag(frame);
  } else {
    restore_steps(frame);
  }
}

/// The items of a loop, for those of its turns that have begun.
void Machine::restore_items(Frame& frame, std::uint32_t task) {
  const LoopPlan* plan = frame.plan->tasks[task].loop.get();
  Expansion found;
  if (!plan || !find_items(*plan, SiblingVariables(*this, frame.node), found)) return;
  Expansion& loop = frame.loops.at(task);
  loop.items = std::move(found.items);
  loop.written = std::move(found.written);
}

/// Works a loop that has begun out again, so that its other turns can begin.
void Machine::restore_loop(Frame& frame, std::uint32_t task) {
  auto step = resolve_step(frame, task);
  auto expansion = step ? expand(frame, task, std::move(*step)) : std::unexpected(step.error());
  Expansion& loop = frame.loops[task];
  if (!expansion || expansion->items.size() < loop.turns.size()) {
    loop.open = begun_turns(loop);
    loop.next = static_cast<std::uint32_t>(loop.turns.size());
  } else {
    std::ranges::copy(loop.turns, expansion->turns.begin());
    loop = std::move(*expansion);
    while (loop.next < loop.turns.size() && loop.turns[loop.next] != kNoNode) ++loop.next;
    if (loop.next < loop.turns.size()) frame.held.push(task);
  }
  if (loop.open > 0) return;
  frame.ended_loops.push_back(task);
  if (expansion) return;
  const NodeIndex group = frame.plan->dag() ? frame.tasks[task].node : frame.group_node;
  set_phase(group, api::NodePhase::kError, expansion.error().message);
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
      loop->second.open = begun_turns(loop->second);
      restore_items(frame, task);
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
  std::vector<std::uint32_t> first;
  for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) {
    frame.tasks[task].unsettled = static_cast<std::uint32_t>(plan.dependencies(task).size());
    if (frame.tasks[task].unsettled == 0) first.push_back(task);
  }
  restore_tasks(frame, std::move(first));
}

/// Those of the tasks of a dag that have begun, and what comes after them, as far as all that they depend on lets them.
void Machine::restore_tasks(Frame& frame, std::vector<std::uint32_t> tasks) {
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    TaskState& state = frame.tasks[tasks[i]];
    if (state.node == kNoNode || state.stage != TaskStage::kWaiting || !may_have_begun(frame, tasks[i])) continue;
    state.stage = TaskStage::kBegun;
    ++frame.open;
    Node& node = nodes_[state.node];
    if (node.lets_pass() && !node.completed()) node.branch = inherited_branch(frame, tasks[i]);
    if (node.type == api::NodeType::kTaskGroup) {
      node.fulfilled() ? frame.ended_loops.push_back(tasks[i]) : restore_loop(frame, tasks[i]);
    }
    if (!node.lets_pass()) continue;
    std::ranges::copy(frame.plan->dependents(tasks[i]), std::back_inserter(tasks));
  }
}

bool Machine::may_have_begun(const Frame& frame, std::uint32_t task) const {
  return std::ranges::all_of(frame.plan->dependencies(task), [&](std::uint32_t dependency) {
    const TaskState& before = frame.tasks[dependency];
    return before.node != kNoNode && before.stage != TaskStage::kWaiting && nodes_[before.node].lets_pass();
  });
}

/// A restored frame goes on: what was due and is not there begins now, of all frames the first of the manifest first.
void Machine::wake_frame(Frame& frame) {
  const bool begun = frame.group_node != kNoNode ||
                     std::ranges::any_of(frame.tasks, [](const TaskState& task) { return task.node != kNoNode; });
  if (frame.plan->pattern && !begun) {
    // It may wait for the templates of its hooks.
    const NodeIndex node = frame.node;
    nodes_[node].frame.reset();
    return open_frame(node);
  }
  failed_fast(frame);
  for (const std::uint32_t task : std::exchange(frame.ended_loops, {})) {
    const NodeIndex group = frame.tasks[task].node;
    if (group == kNoNode || !nodes_[group].fulfilled()) {
      end_loop(frame, task);
    } else {
      hooked_step(group) ? leave(group) : task_settled(frame, task);
    }
  }
  if (frame.plan->dag()) {
    // A retry with other parameters may have taken them away.
    if (const auto targets = find_targets(frame.node); !targets) return errored(frame.node, targets.error().message);
    for (std::uint32_t task = 0; task < frame.plan->tasks.size(); ++task) {
      if (frame.targets->needs(task) && frame.tasks[task].unsettled == 0) task_due(frame, task);
    }
  } else if (frame.group_node == kNoNode) {
    frame.waking = false;
    return frame.plan->group_count() == 0 ? end_steps(frame) : begin_group(frame, 0);
  }
  frame.waking = false;
  if (!frame.held.empty()) {
    block(frame.node);
    push(Action::Kind::kUnblock, kNoNode);
  }
  if (frame.open == 0) push(Action::Kind::kAdvance, frame.node);
}

}  // namespace tiphys::engine
