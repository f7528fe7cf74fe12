// A run's nodes from what was persisted: names and boundaries say who waits for whom.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ranges>

#include "api/references.h"
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

/// `plan`: the boundary's.
std::optional<Position> parse_position(std::string_view name, std::string_view boundary, const CompiledTemplate& plan) {
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
  std::size_t end = std::min(name.find_first_of("(."), name.size());
  // Names that tags have made may have any signs: the longest counts.
  for (std::size_t at = name.size(); plan.pattern && at > end; --at) {
    const bool may_end = at == name.size() || name[at] == '(' || name[at] == '.';
    if (may_end && plan.task_index.contains(name.substr(0, at))) end = at;
  }
  position.step = name.substr(0, end);
  position.rest = name.substr(end);
  return position;
}

/// 0 for what is no number: a client may have written it.
std::int16_t exit_code_of(std::string_view text) {
  std::int16_t code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  return code;
}

bool reads_source(const api::Parameter& parameter) {
  return parameter.value_from.has_value();
}

/// What a node is, and what its template makes of a node, may differ when somebody has changed either. `around`: the
/// template of its boundary.
bool fits_its_template(const Node& node, const CompiledTemplate* around) {
  const CompiledTemplate* const plan = node.plan;
  const bool groups = node.type == api::NodeType::kStepGroup && around && around->steps();
  if (groups && std::size_t{node.turn} + 1 >= around->group_begin.size()) return false;
  const bool of_group = node.owner == Owner::kTask && around && (around->steps() || node.turn != kNoTask);
  if (of_group && node.owner_node == kNoNode) return false;
  if (!plan) return true;
  switch (node.type) {
    case api::NodeType::kSteps:
      return plan->steps();
    case api::NodeType::kDag:
      return plan->dag();
    case api::NodeType::kRetry:
      return static_cast<bool>(plan->retry);
    default:
      return node.fulfilled() || !(plan->steps() || plan->dag() || (plan->retry && node.owner != Owner::kAttempt));
  }
}

}  // namespace

Status Machine::load(RunStatus status, std::vector<api::NodeStatus> nodes) {
  status_ = std::move(status);
  status_.resources_duration.clear();  // a user's retry has removed nodes
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
  place_loaded(nodes);
  for (NodeIndex index = 0; index < nodes_.size(); ++index) {
    const Node& node = nodes_[index];
    if (fits_its_template(node, node.boundary == kNoNode ? nullptr : nodes_[node.boundary].plan)) continue;
    return fail(Code::kDataLoss, fmt::format("node \"{}\" does not fit its template: the workflow's templates or nodes "
                                             "were changed while it was under way",
                                             node.name));
  }
  load_locks();
  for (NodeIndex index = 0; index < nodes_.size(); ++index) {
    load_values(index, nodes[index]);
    count_whole(nodes_[index], 1);
  }
  return {};
}

Status Machine::load_node(api::NodeStatus& status) {
  TIPHYS_TRY(const NodeIndex index, nodes_.add_persisted(status.name, status.id));
  Node& node = nodes_[index];
  node.type = status.type;
  node.phase = node.told_phase = status.phase;
  node.message = std::move(status.message);
  if (executable(node.type)) node.progress = parse_progress(status.progress).value_or(Progress());
  node.started_at = status.started_at;
  node.finished_at = status.finished_at;
  node.hooked = status.hooked;
  node.retried = status.retried;
  node.daemoned = status.daemoned;
  node.owner = Owner::kGroup;
  node.template_name = &kNoTemplate;
  if (status.template_ref) node.template_ref = plans_.keep(*status.template_ref);
  if (!status.pod_ip.empty()) node.extras().pod_ip = status.pod_ip;
  if (!status.host_node_name.empty()) node.extras().host_node_name = status.host_node_name;
  if (node.type == api::NodeType::kPod) api::add(status_.resources_duration, status.resources_duration);
  if (!status.resources_duration.empty()) node.extras().resources_duration = std::move(status.resources_duration);
  node.awaits_lock = !status.awaited_lock.empty();
  if (node.awaits_lock) node.extras().awaited_lock = status.awaited_lock;
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
      // By names, which begin with their boundary's, boundaries end at the outermost.
      if (const std::string& around = nodes_[node.boundary].name;
          node.name.size() <= around.size() || !std::string_view(node.name).starts_with(around)) {
        return fail(Code::kDataLoss, fmt::format("node \"{}\" cannot be in node \"{}\"", node.name, around));
      }
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
void Machine::place_loaded(std::vector<api::NodeStatus>& statuses) {
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
      if (!exit) node.plan = plans_.find(workflow_.spec.entrypoint);
      node.template_name = exit && plans_.exit() ? &plans_.exit()->source->template_name : &workflow_.spec.entrypoint;
      if (exit && plans_.exit()) aim_loaded_hook(node, *plans_.exit());
      (exit ? exit_ : entry_) = index;
      open.push_back(index);
    }
  }
  if (entry_ != kNoNode) place_hooks(entry_, open);
  for (std::size_t i = 0; i < open.size(); ++i) {
    const NodeIndex index = open[i];
    place_attempts(index, open);
    const Node& node = nodes_[index];
    place_containers(index, members[index]);
    if (!holds_frame(node.type)) continue;
    load_inputs(index, statuses[index]);
    if (node.plan && node.plan->inlined && node.plan->pattern) view_frames(node.boundary, members);
    // Of one whose names were wrong nothing has begun.
    if (node.plan && !settle_names(index)) continue;
    for (const NodeIndex member : members[index]) {
      if (place_member(index, member)) open.push_back(member);
    }
    for (const NodeIndex member : members[index]) place_hooks(member, open);
    for (const NodeIndex member : members[index]) place_attempts(member, open);
    for (const NodeIndex member : members[index]) load_values(member, statuses[member]);
  }
  for (NodeIndex index = 0; index < nodes_.size(); ++index) nodes_[index].frame.reset();
  members_ = std::move(members);
  // Outer dags look at what inner ones pass on.
  for (auto index = open.rbegin(); index != open.rend(); ++index) {
    const Node& node = nodes_[*index];
    if (node.type == api::NodeType::kDag && node.plan && node.plan->dag()) restore_branches(*index);
  }
}

void Machine::place_attempts(NodeIndex retry, std::vector<NodeIndex>& open) {
  const Node& around = nodes_[retry];
  if (around.type != api::NodeType::kRetry) return;
  for (const NodeIndex child : around.children) {
    Node& attempt = nodes_[child];
    if (attempt.boundary != around.boundary || !attempt_index(attempt.name, around.name)) continue;
    if (attempt.owner == Owner::kAttempt) continue;
    attempt.owner = Owner::kAttempt;
    attempt.owner_node = retry;
    attempt.plan = around.plan;
    attempt.template_name = around.template_name;
    attempt.template_ref = around.template_ref;
    attempt.depth = around.depth;
    attempt.on_exit = around.on_exit;
    open.push_back(child);
  }
}

/// Names in an inline template hang on items and outputs around it: frames for a look at them, until all is placed.
void Machine::view_frames(NodeIndex boundary, const std::vector<std::vector<NodeIndex>>& members) {
  std::vector<NodeIndex> inwards;
  while (boundary != kNoNode && nodes_[boundary].plan && !nodes_[boundary].frame) {
    inwards.push_back(boundary);
    boundary = nodes_[boundary].plan->inlined ? nodes_[boundary].boundary : kNoNode;
  }
  for (const NodeIndex index : inwards | std::views::reverse) {
    Node& node = nodes_[index];
    node.frame = std::make_unique<Frame>(index, *node.plan);
    Frame& frame = *node.frame;
    for (const NodeIndex member : members[index]) {
      if (fits_its_template(nodes_[member], node.plan)) put_in_frame(frame, member);
    }
    for (auto& [task, loop] : frame.loops) {
      restore_items(frame, task);
      loop.turns.resize(std::max(loop.turns.size(), loop.items.size()), kNoNode);
    }
  }
}

/// True when the node is a task's, or a turn's.
bool Machine::place_member(NodeIndex boundary, NodeIndex index) {
  const Node& around = nodes_[boundary];
  Node& node = nodes_[index];
  if (!around.plan) return false;
  const auto position = parse_position(node.name, around.name, *around.plan);
  if (!position) return false;
  node.depth = around.depth;
  node.on_exit = around.on_exit;
  if (position->step.empty()) {
    if (position->group) node.turn = *position->group;
    return false;
  }
  // Attempts and exit handlers are placed through the nodes that they belong to.
  if (node.retried || node.hooked) return false;
  const auto task = around.plan->task_index.find(position->step);
  if (task == around.plan->task_index.end()) return false;
  const CompiledStep& step = around.plan->tasks[task->second];
  node.task = task->second;
  node.template_name = &step.source->template_name;
  // Of one with tags the node knows what they came to.
  if (!step.ref || !node.template_ref) {
    node.template_ref = step.source->template_ref ? &*step.source->template_ref : nullptr;
  }
  if (node.type == api::NodeType::kTaskGroup) return false;

  const std::string step_name(std::string_view(node.name).substr(0, node.name.size() - position->rest.size()));
  const auto turn = step.loop ? loop_turn_index(node.name, step_name) : std::nullopt;
  node.owner = Owner::kTask;
  node.plan = step.ref && node.template_ref ? plans_.find(*node.template_ref) : step.target;
  node.depth = around.depth + 1;
  if (turn) node.turn = *turn;
  if (position->group) {
    node.owner_node = nodes_.find_name(step_group_name(around.name, *position->group));
  } else if (turn) {
    node.owner_node = nodes_.find_name(step_name);
  }
  return true;
}

/// Exit handlers and other hooks of a task, a turn or the workflow.
void Machine::place_hooks(NodeIndex index, std::vector<NodeIndex>& open) {
  const Node& parent = nodes_[index];
  const bool task = parent.owner == Owner::kTask || parent.type == api::NodeType::kTaskGroup;
  if (!task && index != entry_) return;
  const CompiledStep* step = task ? &nodes_[parent.boundary].plan->tasks[parent.task] : nullptr;
  const auto& others = step ? step->hooks : plans_.hooks();
  for (const NodeIndex child : parent.children) {
    Node& hook = nodes_[child];
    if (!hook.hooked || hook.boundary != parent.boundary) continue;
    const bool exit = step && step->exit && hook.name == on_exit_name(parent.name);
    const auto other = std::ranges::find_if(
        others, [&](const HookPlan& each) { return hook.name == hook_name(parent.name, each.source->name); });
    if (!exit && other == others.end()) continue;
    const HookPlan* plan = exit ? step->exit.get() : &*other;
    hook.turn = static_cast<std::uint32_t>(exit ? others.size() : other - others.begin());
    hook.owner = Owner::kHook;
    hook.owner_node = index;
    hook.exit_hook = exit;
    hook.on_exit = exit || parent.on_exit;
    hook.depth = step ? nodes_[parent.boundary].depth + 1 : 1;
    hook.template_name = &plan->source->template_name;
    aim_loaded_hook(hook, *plan);
    open.push_back(child);
  }
}

/// Where the hook's templateRef has tags the node knows what they came to.
void Machine::aim_loaded_hook(Node& node, const HookPlan& hook) {
  if (node.template_ref && api::named_at_run_time(*hook.source)) {
    node.plan = plans_.find(*node.template_ref);
  } else {
    node.plan = hook.target;
    node.template_ref = hook.template_ref();
  }
}

void Machine::load_values(NodeIndex index, api::NodeStatus& status) {
  Node& node = nodes_[index];
  if (status.outputs) {
    node.has_outputs = true;
    if (status.outputs->exit_code) node.exit_code = exit_code_of(*status.outputs->exit_code);
    status.outputs->exit_code.reset();
    const api::Outputs* declared = node.plan ? node.plan->told_outputs() : nullptr;
    if (!status.outputs->empty()) node.outputs = std::make_unique<NodeOutputs>(std::move(*status.outputs), declared);
    status.outputs.reset();
  }
  if (node.boundary != kNoNode && status.display_name != display_name(node.name, nodes_[node.boundary].name)) {
    node.extras().display_name = status.display_name;
  }
  load_inputs(index, status);
}

void Machine::load_inputs(NodeIndex index, api::NodeStatus& status) {
  Node& node = nodes_[index];
  if (!status.inputs || !node.plan) return;
  if (!node.plan->inputs.empty()) {
    node.inputs = std::make_unique<std::string[]>(node.plan->inputs.size());
    for (const api::Parameter& parameter : status.inputs->parameters) {
      const auto known = node.plan->input_index.find(parameter.name);
      if (known != node.plan->input_index.end()) node.inputs[known->second] = parameter.value.value_or("");
    }
  }
  const bool choices = node.type == api::NodeType::kSuspend;
  const bool sources = std::ranges::any_of(status.inputs->parameters, reads_source);
  if (node.plan->rich_inputs || choices || sources) node.extras().inputs = std::move(status.inputs);
  status.inputs.reset();
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
    passed_over |= node.lets_pass() && !node.completed();
  }
  if (!passed_over) return;
  std::vector<std::uint32_t> order;
  for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) {
    frame.tasks[task].unsettled = static_cast<std::uint32_t>(plan.dependencies(task).size());
    if (frame.tasks[task].unsettled == 0) order.push_back(task);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    const NodeIndex node = frame.tasks[order[i]].node;
    if (node != kNoNode && nodes_[node].lets_pass() && !nodes_[node].completed()) {
      nodes_[node].branch = inherited_branch(frame, order[i]);
    }
    for (const std::uint32_t dependent : plan.dependents(order[i])) {
      if (--frame.tasks[dependent].unsettled == 0) order.push_back(dependent);
    }
  }
}

}  // namespace tiphys::engine
