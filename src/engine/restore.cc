// A run from its persisted nodes. The nodes say where each template stands; what a frame keeps besides is worked out
// again, and every end that may not have been acted on is told once more.
#include <fmt/format.h>

#include <algorithm>

#include "engine/artifacts.h"
#include "engine/machine.h"
#include "engine/names.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

const std::string kNoTemplate;

/// The part of a node's name that names its step within the boundary: "a" of "wf[0].a", "wf.a(0:x)" and "wf.a".
struct Position {
  std::optional<std::uint32_t> group;  ///< steps
  std::string_view step;               ///< "" for a step group
  std::string_view rest;               ///< "(0:x)", "(1)" or ".onExit"
};

std::optional<Position> parse_position(std::string_view name, std::string_view boundary) {
  if (!name.starts_with(boundary)) return std::nullopt;
  name.remove_prefix(boundary.size());
  Position position;
  if (name.starts_with('[')) {
    const std::size_t close = name.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    std::uint32_t group = 0;
    for (const char c : name.substr(1, close - 1)) group = group * 10 + static_cast<std::uint32_t>(c - '0');
    position.group = group;
    name.remove_prefix(close + 1);
    if (name.empty()) return position;
  }
  if (!name.starts_with('.')) return std::nullopt;
  name.remove_prefix(1);
  const std::size_t end = std::min(name.find_first_of("(."), name.size());
  position.step = name.substr(0, end);
  position.rest = name.substr(end);
  return position;
}

}  // namespace

Status Machine::load(RunStatus status, std::vector<api::NodeStatus> nodes) {
  status_ = std::move(status);
  loaded_ = true;
  globals_.set("workflow.status", std::string(phase_name(status_.phase)));
  if (status_.outputs) {
    const api::Outputs outputs = *status_.outputs;
    for (const api::Parameter& parameter : outputs.parameters) {
      if (parameter.value) globals_.set("workflow.outputs.parameters." + parameter.name, *parameter.value);
    }
    for (const api::Artifact& artifact : outputs.artifacts) {
      const std::string name = "workflow.outputs.artifacts." + artifact.name;
      globals_.set_value(name, artifact_marker(name));
    }
  }
  for (api::NodeStatus& node : nodes) TIPHYS_CHECK_OK(load_node(node));
  TIPHYS_CHECK_OK(load_edges(nodes));
  place_loaded();
  for (NodeIndex index = 0; index < nodes_.size(); ++index) {
    load_inputs(index, nodes[index]);
    count_new(nodes_[index]);
  }
  return {};
}

Status Machine::load_node(api::NodeStatus& status) {
  TIPHYS_TRY(const NodeIndex index, nodes_.add_persisted(status.name, status.id));
  Node& node = nodes_[index];
  node.type = status.type;
  node.phase = status.phase;
  node.message = std::move(status.message);
  node.started_at = status.started_at;
  node.finished_at = status.finished_at;
  node.hooked = status.hooked;
  node.retried = status.retried;
  node.owner = Owner::kGroup;
  node.template_name = &kNoTemplate;
  if (status.outputs) {
    node.has_outputs = true;
    if (status.outputs->exit_code) node.exit_code = static_cast<std::int16_t>(std::stoi(*status.outputs->exit_code));
    status.outputs->exit_code.reset();
    if (!status.outputs->empty()) node.outputs = std::make_unique<api::Outputs>(std::move(*status.outputs));
  }
  if (!status.pod_ip.empty()) node.extras().pod_ip = status.pod_ip;
  if (!status.host_node_name.empty()) node.extras().host_node_name = status.host_node_name;
  if (status.memoization) node.extras().memoization = status.memoization;
  return {};
}

Status Machine::load_edges(const std::vector<api::NodeStatus>& nodes) {
  const auto find = [&](const std::string& id, const std::string& from) -> Result<NodeIndex> {
    const NodeIndex index = nodes_.find_id(id);
    if (index != kNoNode) return index;
    return fail(Code::kDataLoss, fmt::format("node \"{}\" names \"{}\", which is no node", from, id));
  };
  for (NodeIndex index = 0; index < nodes.size(); ++index) {
    const api::NodeStatus& status = nodes[index];
    Node& node = nodes_[index];
    if (!status.boundary_id.empty()) {
      TIPHYS_TRY(node.boundary, find(status.boundary_id, status.name));
    }
    node.children.reserve(status.children.size());
    for (const std::string& id : status.children) {
      TIPHYS_TRY(node.children.emplace_back(), find(id, status.name));
    }
    for (const std::string& id : status.outbound_nodes) {
      TIPHYS_TRY(node.extras().outbound.emplace_back(), find(id, status.name));
    }
  }
  return {};
}

/// Gives each node its owner, plan and depth, from the outermost inwards.
void Machine::place_loaded() {
  std::vector<std::vector<NodeIndex>> members(nodes_.size());
  std::vector<NodeIndex> open;
  const std::string exit_name = on_exit_name(workflow_.name);
  for (NodeIndex index = 0; index < nodes_.size(); ++index) {
    Node& node = nodes_[index];
    if (node.boundary != kNoNode) {
      members[node.boundary].push_back(index);
    } else if (node.name == workflow_.name || node.name == exit_name) {
      const bool exit = node.name == exit_name;
      node.owner = exit ? Owner::kExit : Owner::kEntry;
      node.on_exit = exit;
      node.depth = 1;
      node.plan = exit ? (plans_.exit() ? plans_.exit()->target : nullptr) : plans_.find(workflow_.spec.entrypoint);
      node.template_name = exit ? &workflow_.spec.on_exit : &workflow_.spec.entrypoint;
      (exit ? exit_ : entry_) = index;
      open.push_back(index);
    }
  }
  const auto place_attempts = [&](NodeIndex retry) {
    const Node& around = nodes_[retry];
    if (around.type != api::NodeType::kRetry) return;
    for (const NodeIndex child : around.children) {
      Node& attempt = nodes_[child];
      if (attempt.boundary != around.boundary || !attempt_index(attempt.name, around.name)) continue;
      attempt.owner = Owner::kAttempt;
      attempt.owner_node = retry;
      attempt.plan = around.plan;
      attempt.template_name = around.template_name;
      attempt.depth = around.depth;
      attempt.on_exit = around.on_exit;
      open.push_back(child);
    }
  };
  for (std::size_t i = 0; i < open.size(); ++i) {
    const NodeIndex index = open[i];
    place_attempts(index);
    const Node& node = nodes_[index];
    if (node.type != api::NodeType::kSteps && node.type != api::NodeType::kDag) continue;
    for (const NodeIndex member : members[index]) {
      if (place_member(index, member)) open.push_back(member);
    }
    for (const NodeIndex member : members[index]) place_hooks(member, open);
  }
  members_ = std::move(members);
  // Outer dags look at what inner ones pass on.
  for (auto index = open.rbegin(); index != open.rend(); ++index) {
    if (nodes_[*index].type == api::NodeType::kDag && nodes_[*index].plan) restore_branches(*index);
  }
}

/// True when the node is a task's, or a turn's.
bool Machine::place_member(NodeIndex boundary, NodeIndex index) {
  const Node& around = nodes_[boundary];
  Node& node = nodes_[index];
  if (!around.plan) return false;
  const auto position = parse_position(node.name, around.name);
  if (!position) return false;
  node.depth = around.depth;
  node.on_exit = around.on_exit;
  if (position->step.empty()) {
    node.turn = *position->group;
    return false;
  }
  // Attempts and exit handlers are placed through the nodes that they belong to.
  if (node.retried || node.hooked) return false;
  const auto task = around.plan->task_index.find(position->step);
  if (task == around.plan->task_index.end()) return false;
  const CompiledStep& step = around.plan->tasks[task->second];
  node.task = task->second;
  node.template_name = &step.source->template_name;
  if (node.type == api::NodeType::kTaskGroup) return false;

  const std::string step_name(std::string_view(node.name).substr(0, node.name.size() - position->rest.size()));
  const auto turn = step.loop ? loop_turn_index(node.name, step_name) : std::nullopt;
  node.owner = Owner::kTask;
  node.plan = step.target;
  node.depth = around.depth + 1;
  if (turn) node.turn = *turn;
  if (position->group) {
    node.owner_node = nodes_.find_name(step_group_name(around.name, *position->group));
  } else if (turn) {
    node.owner_node = nodes_.find_name(step_name);
  }
  return true;
}

void Machine::place_hooks(NodeIndex index, std::vector<NodeIndex>& open) {
  const Node& parent = nodes_[index];
  if (parent.owner != Owner::kTask) return;
  for (const NodeIndex child : parent.children) {
    Node& hook = nodes_[child];
    if (!hook.hooked || hook.boundary != parent.boundary || hook.name != on_exit_name(parent.name)) continue;
    const CompiledStep& step = nodes_[parent.boundary].plan->tasks[parent.task];
    hook.owner = Owner::kHook;
    hook.owner_node = index;
    hook.on_exit = true;
    hook.depth = nodes_[parent.boundary].depth + 1;
    if (step.exit) {
      hook.plan = step.exit->target;
      hook.template_name = step.exit->template_name;
    }
    open.push_back(child);
  }
}

void Machine::load_inputs(NodeIndex index, api::NodeStatus& status) {
  Node& node = nodes_[index];
  if (node.boundary != kNoNode && status.display_name != display_name(node.name, nodes_[node.boundary].name)) {
    node.extras().display_name = status.display_name;
  }
  if (!status.inputs || !node.plan) return;
  if (!node.plan->inputs.empty()) {
    node.inputs = std::make_unique<std::string[]>(node.plan->inputs.size());
    for (const api::Parameter& parameter : status.inputs->parameters) {
      const auto known = node.plan->input_index.find(parameter.name);
      if (known != node.plan->input_index.end()) node.inputs[known->second] = parameter.value.value_or("");
    }
  }
  const bool choices = node.type == api::NodeType::kSuspend;
  if (node.plan->rich_inputs || choices) node.extras().inputs = std::move(status.inputs);
}

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
    if (holds_others && !node.fulfilled() && node.plan) restore_frame(index, members_[index]);
  }
  // Frames count what their members are: only now do they exist.
  for (NodeIndex index = 0; index < count; ++index) {
    const Node& node = nodes_[index];
    if (Frame* frame = frame_of(node.boundary)) count_in_frame(node, *frame, 1);
    if (node.fulfilled() && node.owner != Owner::kGroup) push(Action::Kind::kEnded, index);
    if (!node.fulfilled()) wake(index);
  }
  members_.clear();
}

void Machine::wake(NodeIndex index) {
  Node& node = nodes_[index];
  switch (node.type) {
    case api::NodeType::kPod:
      if (node.plan) ask_for_pod(index);
      if (node.phase != api::NodePhase::kPending || node.owner == Owner::kAttempt) return;
      if (node.plan && !node.plan->timeout.empty()) {
        const auto text = render(node.plan->timeout, globals(), BodyVariables(*this, index), Leftover::kKeep);
        const auto timeout = text ? parse_seconds_or_duration(*text) : std::unexpected(text.error());
        if (timeout) set_timer({node.started_at + *timeout, Timer::Kind::kPending, index});
      }
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
  if (loop.next < loop.turns.size()) frame.held.push_back(task);
}

void Machine::restore_steps(Frame& frame) {
  if (frame.group_node == kNoNode) return;
  const std::uint32_t begin = frame.plan->group_begin[frame.group], end = frame.plan->group_begin[frame.group + 1];
  for (std::uint32_t task = 0; task < begin; ++task) frame.tasks[task].stage = TaskStage::kSettled;
  const bool stopping = nodes_[frame.group_node].fulfilled();
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
      frame.held.push_back(task);
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

/// What omitted and skipped tasks of a dag, ended or not, pass on hangs on the tasks before them.
void Machine::restore_branches(NodeIndex index) {
  const CompiledTemplate& plan = *nodes_[index].plan;
  Frame frame;
  frame.node = index;
  frame.plan = &plan;
  frame.tasks.resize(plan.tasks.size());
  bool passed_over = false;
  for (const NodeIndex member : members_[index]) {
    const Node& node = nodes_[member];
    if (node.task == kNoTask || node.turn != kNoTask) continue;
    frame.tasks[node.task].node = member;
    passed_over |= node.fulfilled() && !node.completed();
  }
  if (!passed_over) return;
  std::vector<std::uint32_t> order;
  for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) {
    frame.tasks[task].unsettled = static_cast<std::uint32_t>(plan.dependencies(task).size());
    if (frame.tasks[task].unsettled == 0) order.push_back(task);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    const NodeIndex node = frame.tasks[order[i]].node;
    if (node != kNoNode && nodes_[node].fulfilled() && !nodes_[node].completed()) {
      nodes_[node].branch = inherited_branch(frame, order[i]);
    }
    for (const std::uint32_t dependent : plan.dependents(order[i])) {
      if (--frame.tasks[dependent].unsettled == 0) order.push_back(dependent);
    }
  }
}

/// A restored frame goes on: what was due and is not there begins now.
void Machine::wake_frame(Frame& frame) {
  if (frame.plan->source->fail_fast && frame.unsuccessful > 0) stop_frame(frame);
  for (const std::uint32_t task : std::exchange(frame.ended_groups, {})) task_settled(frame, task);
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
