// What steps and dag nodes have in common: tasks are resolved, begun as parallelism allows, and settled.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "engine/machine.h"
#include "engine/names.h"
#include "engine/variables.h"
#include "expr/condition.h"

namespace tiphys::engine {
namespace {

std::uint64_t held_key(const Frame& frame, std::uint32_t task) {
  return static_cast<std::uint64_t>(frame.node) << 32 | task;
}

}  // namespace

Frame::Frame(NodeIndex of, const CompiledTemplate& of_plan) : node(of), plan(&of_plan), tasks(of_plan.tasks.size()) {}

void Machine::open_frame(NodeIndex index) {
  if (const Status named = settle_names(index); !named) return errored(index, named.error().message);
  if (!aim_names(index)) return block(index);
  Node& node = nodes_[index];
  node.frame = std::make_unique<Frame>(index, *node.plan);
  Frame& frame = *node.frame;
  if (node.plan->dag()) {
    begin_dag(frame);
  } else if (node.plan->group_count() == 0) {
    end_steps(frame);
  } else {
    begin_group(frame, 0);
  }
}

Call Machine::task_call(Frame& frame, std::uint32_t task) {
  const CompiledStep& step = frame.plan->tasks[task];
  const Node& around = nodes_[frame.node];
  const bool steps = frame.plan->steps();
  const std::string& prefix = steps ? nodes_[frame.group_node].name : around.name;
  Call call;
  call.name.reserve(prefix.size() + 1 + step.source->name.size());
  call.name.append(prefix).append(".").append(step.source->name);
  call.template_name = &step.source->template_name;
  if (step.source->template_ref) call.template_ref = &*step.source->template_ref;
  call.plan = step.target;
  call.boundary = frame.node;
  call.owner = Owner::kTask;
  call.owner_node = steps ? frame.group_node : kNoNode;
  call.task = task;
  call.depth = around.depth + 1;
  call.on_exit = around.on_exit;
  return call;
}

Result<ResolvedStep> Machine::resolve_step(Frame& frame, std::uint32_t task) {
  const CompiledStep& step = frame.plan->tasks[task];
  const SiblingVariables variables(*this, frame.node);
  ResolvedStep resolved;
  if (!step.when.empty()) {
    TIPHYS_TRY(resolved.when, render(step.when, globals(), variables, Leftover::kFailSiblings));
    const auto proceed = expr::eval_when(resolved.when);
    // In a loop the condition may hang on the item, which is not known yet.
    if (!proceed && !step.loop) return std::unexpected(proceed.error());
    if (proceed && !*proceed) {
      resolved.proceed = false;
      return resolved;
    }
  }
  resolved.values.reserve(step.arguments.parameters.size());
  for (const Text& text : step.arguments.parameters) {
    if (const std::string_view name = text.sole_tag(); !name.empty()) {
      expr::Scope scope(&globals());
      variables.provide(name, scope);
      if (const std::string* value = scope.text(name); value && !has_tag(*value)) {
        resolved.values.emplace_back(*value);
        continue;
      }
      if (const doc::Value* value = scope.value(name); value && value->is_null()) {
        resolved.values.emplace_back(std::nullopt);
        continue;
      }
    }
    TIPHYS_TRY(resolved.values.emplace_back(), render(text, globals(), variables, Leftover::kFailSiblings));
  }
  for (const ArtifactPlan& plan : step.arguments.artifacts) {
    auto artifact = resolve_artifact(plan, variables, frame.node);
    if (!artifact) {
      if (plan.source->optional) continue;
      if (frame.plan->dag()) return std::unexpected(artifact.error());
      return std::unexpected(artifact.error().in("unable to resolve references"));
    }
    if (*artifact) resolved.artifacts.push_back(std::move(**artifact));
  }
  TIPHYS_TRY(resolved.ref, resolve_ref(frame, task));
  return resolved;
}

void Machine::begin_resolved(Frame& frame, Call call, ResolvedStep step) {
  if (!step.proceed) {
    create_ended(call, api::NodePhase::kSkipped, fmt::format("when '{}' evaluated false", step.when));
    return;
  }
  const auto arguments = task_arguments(frame, call.task, std::move(step));
  if (!arguments) return fail_to_begin(call, arguments.error().message);
  begin(call, *arguments);
}

Result<Arguments> Machine::task_arguments(Frame& frame, std::uint32_t task, ResolvedStep step) {
  Arguments arguments;
  const auto& parameters = frame.plan->tasks[task].source->arguments.parameters;
  arguments.parameters.reserve(step.values.size());
  for (std::size_t i = 0; i < step.values.size(); ++i) {
    if (parameters[i].value) {
      arguments.parameters.push_back({parameters[i].name, std::move(step.values[i])});
    } else if (reads_config_map(parameters[i])) {
      TIPHYS_TRY(auto source,
                 argument_source(parameters[i], SiblingVariables(*this, frame.node), Leftover::kFailSiblings));
      arguments.parameters.push_back({parameters[i].name, std::nullopt, std::move(source)});
    }
  }
  arguments.artifacts = std::move(step.artifacts);
  return arguments;
}

/// What begins now fails at once: nothing holds it back.
bool Machine::doomed(bool on_exit) const {
  return !executes(on_exit) || (past_deadline() && !on_exit);
}

bool Machine::gate_open(Frame& frame) {
  if (doomed(nodes_[frame.node].on_exit)) return true;
  // The end of a child lets the frame try again; the end of another's pod only when it waits for that alone.
  const auto& parallelism = frame.plan->source->parallelism;
  if (parallelism && *parallelism > 0 && frame.active_children >= *parallelism) return false;
  if (!workflow_.spec.parallelism || active_pods_ < *workflow_.spec.parallelism) return true;
  block(frame.node);
  return false;
}

void Machine::pump(Frame& frame) {
  while (!frame.waking && !frame.held.empty() && !failed_fast(frame) && gate_open(frame) && begin_held(frame)) {
  }
}

/// True, and the frame is stopped, when its template has failFast and something in it has failed.
bool Machine::failed_fast(Frame& frame) {
  if (!frame.plan->source->fail_fast || frame.unsuccessful == 0) return false;
  stop_frame(frame);
  fail_waiting(frame);
  return true;
}

/// Begins the first held task, or the next turn of its loop. False when its template is being looked for: those after
/// it wait too, so that it is the first after a restart as well.
bool Machine::begin_held(Frame& frame) {
  const std::uint32_t task = frame.held.top();
  if (const auto loop = frame.loops.find(task); loop != frame.loops.end()) {
    return begin_held_turn(frame, task, loop->second);
  }
  auto known = resolved_.extract(held_key(frame, task));
  auto step = known ? Result<ResolvedStep>(std::move(known.mapped())) : resolve_step(frame, task);
  Call call = task_call(frame, task);
  if (step && step->proceed && !aim(call, step->ref)) {
    resolved_.emplace(held_key(frame, task), std::move(*step));
    block(frame.node);
    return false;
  }
  frame.held.pop();
  if (step) {
    begin_resolved(frame, std::move(call), std::move(*step));
    return true;
  }
  create_ended(call, api::NodePhase::kError, step.error().message);
  if (frame.plan->steps()) fail_group(frame, api::NodePhase::kError, step.error().message);
  return true;
}

bool Machine::begin_held_turn(Frame& frame, std::uint32_t task, Expansion& loop) {
  const std::uint32_t turn = loop.next;
  if (turn >= loop.turns.size()) {
    // A loop that came to have no more items since.
    frame.held.pop();
    return true;
  }
  do {
    ++loop.next;
  } while (loop.next < loop.turns.size() && loop.turns[loop.next] != kNoNode);
  const bool last = loop.next >= loop.turns.size();
  if (last) frame.held.pop();
  if (begin_turn(frame, task, turn)) return true;
  loop.next = turn;
  if (last) frame.held.push(task);
  block(frame.node);
  return false;
}

void Machine::hold(Frame& frame, std::uint32_t task, ResolvedStep step) {
  resolved_.emplace(held_key(frame, task), std::move(step));
  frame.held.push(task);
}

/// Of a dag: a task that parallelism holds back is omitted once the death of a daemon has taken away what it depends
/// on.
void Machine::omit_held(Frame& frame) {
  for (auto held = std::exchange(frame.held, {}); !held.empty(); held.pop()) {
    const std::uint32_t task = held.top();
    if (frame.loops.contains(task) || depends_hold(frame, task)) {
      frame.held.push(task);
      continue;
    }
    resolved_.erase(held_key(frame, task));
    omit(frame, task);
  }
}

Machine::Rank Machine::rank(NodeIndex index) const {
  Rank inwards;
  while (index != kNoNode) {
    const Node& node = nodes_[index];
    if (node.owner == Owner::kAttempt || node.owner == Owner::kHook) {
      // Hooks come after all that is within their node.
      if (node.owner == Owner::kHook) inwards.insert(inwards.end(), {node.turn, kNoTask});
      index = node.owner_node;
      continue;
    }
    inwards.insert(inwards.end(), {node.turn, node.task});
    index = node.boundary;
  }
  std::ranges::reverse(inwards);
  return inwards;
}

void Machine::unblock() {
  const auto limit = workflow_.spec.parallelism;
  // What is held back again meanwhile, and comes before, waits for the next time.
  for (auto next = blocked_.begin(); next != blocked_.end();) {
    const bool full = limit && active_pods_ >= *limit;
    if (full && shutdown_.empty() && !past_deadline()) return;
    const auto [rank, index] = *next;
    blocked_.erase(next);
    if (Frame* frame = frame_of(index)) {
      pump(*frame);
    } else if (nodes_[index].asks_locks()) {
      ask_locks(index);
    } else if (nodes_[index].type == api::NodeType::kRetry) {
      retry(index);
    } else if (holds_frame(nodes_[index].type) && !nodes_[index].fulfilled()) {
      open_frame(index);
    }
    next = blocked_.upper_bound(rank);
  }
}

/// The end of a task's node, or of one turn of its loop, and of its exit handler.
void Machine::settle(NodeIndex index) {
  Node& node = nodes_[index];
  Frame* frame = frame_of(node.boundary);
  if (!frame || node.left) return;
  node.left = true;
  // Of a restored frame: it had done with the task before.
  if (frame->tasks[node.task].stage == TaskStage::kSettled) return;
  if (node.turn == kNoTask) return task_settled(*frame, node.task);
  const auto loop = frame->loops.find(node.task);
  TIPHYS_CHECK(loop != frame->loops.end(), "a turn belongs to a loop");
  if (--loop->second.open == 0) end_loop(*frame, node.task);
}

void Machine::task_settled(Frame& frame, std::uint32_t task) {
  TaskState& state = frame.tasks[task];
  if (state.stage == TaskStage::kSettled) return;
  state.stage = TaskStage::kSettled;
  --frame.open;
  if (frame.plan->dag()) {
    if (!asleep_.empty()) resume_dependents(frame, task);
    for (const std::uint32_t dependent : frame.plan->dependents(task)) {
      if (--frame.tasks[dependent].unsettled == 0 && frame.targets->needs(dependent)) task_due(frame, dependent);
    }
  }
  if (frame.open == 0) push(Action::Kind::kAdvance, frame.node);
}

/// Begins nothing more. What is held back is given up.
void Machine::stop_frame(Frame& frame) {
  if (std::exchange(frame.stopping, true)) return;
  for (; !frame.held.empty(); frame.held.pop()) {
    const std::uint32_t task = frame.held.top();
    const auto loop = frame.loops.find(task);
    if (loop == frame.loops.end()) {
      resolved_.erase(held_key(frame, task));
      frame.tasks[task].stage = TaskStage::kSettled;
      --frame.open;
      continue;
    }
    Expansion& expansion = loop->second;
    for (std::uint32_t turn = expansion.next; turn < expansion.turns.size(); ++turn) {
      if (expansion.turns[turn] == kNoNode) --expansion.open;
    }
    expansion.next = static_cast<std::uint32_t>(expansion.turns.size());
    if (expansion.open == 0) end_loop(frame, task);
  }
  push(Action::Kind::kAdvance, frame.node);
}

void Machine::advance(Frame& frame) {
  if (frame.open > 0 || nodes_[frame.node].fulfilled()) return;
  if (frame.plan->dag()) {
    end_dag(frame);
  } else {
    end_group(frame);
  }
}

}  // namespace tiphys::engine
