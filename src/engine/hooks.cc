// Lifecycle hooks: templates that run beside a workflow, step or task when their expression has become true.
#include <algorithm>

#include "engine/machine.h"
#include "engine/names.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

/// Tags first, as in any text of a template; then the names that the expression reads, filled in.
Result<bool> holds(const HookPlan& hook, const expr::Scope& globals, const Variables& variables, expr::Scope& scope) {
  TIPHYS_TRY(const expr::Expression expression, hook.expression.filled(globals, variables));
  for (const std::string& name : expression.references()) variables.provide(name, scope);
  return expression.eval_bool(scope);
}

}  // namespace

NodeIndex Machine::find_hook(NodeIndex index, std::string_view name) const {
  const auto& children = nodes_[index].children;
  const auto found = std::ranges::find_if(
      children, [&](NodeIndex child) { return nodes_[child].owner == Owner::kHook && nodes_[child].name == name; });
  return found == children.end() ? kNoNode : *found;
}

const CompiledStep* Machine::hooked_step(NodeIndex index) const {
  const Node& node = nodes_[index];
  const bool task = node.owner == Owner::kTask || node.type == api::NodeType::kTaskGroup;
  if (!task || node.boundary == kNoNode || !nodes_[node.boundary].frame) return nullptr;
  const CompiledTemplate& plan = *nodes_[node.boundary].frame->plan;
  if (!plan.has_hooks) return nullptr;
  const CompiledStep& step = plan.tasks[node.task];
  // Of a loop in a dag its group has the hooks, of one in steps each turn.
  return step.hooks.empty() || (plan.dag() && node.turn != kNoTask) ? nullptr : &step;
}

/// What a change of the node's phase may set off.
void Machine::phase_seen(NodeIndex index) {
  Frame* frame = frame_of(nodes_[index].boundary);
  if (!frame || !frame->plan->has_hooks) return;
  const CompiledStep* step = hooked_step(index);
  if (step) push(Action::Kind::kHooks, index);
  for (const NodeIndex other : frame->looking_around) {
    if (other != index) push(Action::Kind::kHooks, other);
  }
  if (step && step->hooks_look_around &&
      std::ranges::find(frame->looking_around, index) == frame->looking_around.end()) {
    frame->looking_around.push_back(index);
  }
}

/// Begins the hooks of a task, or of a turn, that are due. Its frame waits for them, even if it had done with the task;
/// but steps of a past group have none.
void Machine::consider_hooks(NodeIndex index) {
  const CompiledStep* step = hooked_step(index);
  if (!step) return;
  const NodeIndex around = nodes_[index].boundary;
  const Frame& frame = *nodes_[around].frame;
  if (nodes_[around].fulfilled()) return;
  if (frame.plan->steps() && nodes_[index].owner_node != frame.group_node) return;
  // As the original: a step that is skipped has none, nor has a task that does not run yet.
  if (frame.plan->steps() && nodes_[index].phase == api::NodePhase::kSkipped) return;
  if (frame.plan->dag() && nodes_[index].phase == api::NodePhase::kPending) return;
  for (std::uint32_t i = 0; i < step->hooks.size(); ++i) {
    const HookPlan& hook = step->hooks[i];
    std::string name = hook_name(nodes_[index].name, hook.source->name);
    if (find_hook(index, name) != kNoNode) continue;
    const auto due = hook_due(index, hook);
    if (!due) return hook_failed(index, due.error().message);
    if (*due) begin_hook(index, hook, i, std::move(name));
    // A hook that could not begin may have ended what is around.
    if (!nodes_[around].frame) return;
  }
  if (nodes_[index].left && hooks_open(index)) reopen(*nodes_[around].frame, index);
}

/// Whether the expression of a task's hook holds.
Result<bool> Machine::hook_due(NodeIndex index, const HookPlan& hook) {
  SiblingVariables variables(*this, nodes_[index].boundary);
  variables.set_self(nodes_[index].task, index);
  expr::Scope scope(&globals());
  // All of it: what it has not yet is nil, not unknown.
  const CompiledTemplate& plan = *nodes_[nodes_[index].boundary].frame->plan;
  variables.provide((plan.dag() ? "tasks." : "steps.") + plan.tasks[nodes_[index].task].source->name, scope);
  const auto item = item_of_turn(index);
  if (!item) return holds(hook, globals(), variables, scope);
  return holds(hook, globals(), ItemVariables(variables, *item), scope);
}

/// Of a turn of a loop in steps; in a dag a loop's hooks are its group's.
std::optional<LoopItem> Machine::item_of_turn(NodeIndex index) {
  const Node& node = nodes_[index];
  Frame* frame = frame_of(node.boundary);
  if (!frame || !frame->plan->steps() || node.turn == kNoTask) return std::nullopt;
  const auto loop = frame->loops.find(node.task);
  if (loop == frame->loops.end() || node.turn >= loop->second.items.size()) return std::nullopt;
  return item_of(loop->second, node.turn);
}

bool Machine::hooks_open(NodeIndex index) const {
  const Node& node = nodes_[index];
  return std::ranges::any_of(node.children, [&](NodeIndex child) {
    const Node& hook = nodes_[child];
    return hook.owner == Owner::kHook && !hook.exit_hook && !hook.fulfilled();
  });
}

/// Of any kind: its frame has not done with the node.
bool Machine::awaits_hook(NodeIndex index) const {
  return std::ranges::any_of(nodes_[index].children, [&](NodeIndex child) {
    return nodes_[child].owner == Owner::kHook && !nodes_[child].fulfilled();
  });
}

/// The original blames the group of a step, and the task of a dag.
void Machine::hook_failed(NodeIndex index, const std::string& error) {
  Frame& frame = *frame_of(nodes_[index].boundary);
  if (frame.plan->steps()) return fail_group(frame, api::NodePhase::kError, error);
  if (!nodes_[index].fulfilled()) stop_pod(index);
  set_phase(index, api::NodePhase::kError, error);
}

/// `position` among its node's hooks, of which the exit handler is the last.
void Machine::begin_hook(NodeIndex index, const HookPlan& hook, std::uint32_t position, std::string name) {
  const Node& node = nodes_[index];
  Frame& frame = *frame_of(node.boundary);
  Call call;
  call.name = std::move(name);
  call.template_name = &hook.source->template_name;
  call.template_ref = hook.template_ref();
  call.plan = hook.target;
  call.boundary = frame.node;
  call.owner = Owner::kHook;
  call.owner_node = index;
  call.depth = nodes_[frame.node].depth + 1;
  call.turn = position;
  call.hooked = true;
  call.exit_hook = position == frame.plan->tasks[node.task].hooks.size();
  call.on_exit = call.exit_hook || nodes_[frame.node].on_exit;
  SiblingVariables siblings(*this, frame.node);
  siblings.set_self(node.task, index);
  const auto item = item_of_turn(index);
  const LoopItem none;
  const ItemVariables in_turn(siblings, item ? *item : none);
  const Variables& variables = item ? static_cast<const Variables&>(in_turn) : siblings;
  const auto ref = hook_ref(hook, variables);
  if (!ref) return fail_to_begin(call, ref.error().message);
  aim_at(call, *ref);
  Arguments arguments;
  const ArgumentsPlan& plan = hook.arguments;
  for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
    const api::Parameter& parameter = plan.source->parameters[i];
    if (reads_config_map(parameter)) {
      auto source = argument_source(parameter, variables, Leftover::kKeep);
      if (!source) return fail_to_begin(call, source.error().message);
      arguments.parameters.push_back({parameter.name, std::nullopt, std::move(*source)});
    }
    if (!parameter.value) continue;
    auto value = render(plan.parameters[i], globals(), variables, Leftover::kKeep);
    if (!value && value.error().code != Code::kFailedPrecondition) return fail_to_begin(call, value.error().message);
    arguments.parameters.push_back({parameter.name, std::nullopt});
    if (value) arguments.parameters.back().value = std::move(*value);
  }
  for (const ArtifactPlan& artifact_plan : plan.artifacts) {
    auto artifact = resolve_artifact(artifact_plan, variables, frame.node);
    if (!artifact && !artifact_plan.source->optional) {
      return fail_to_begin(call, "unable to resolve references: " + artifact.error().message);
    }
    if (artifact && *artifact) arguments.artifacts.push_back(std::move(**artifact));
  }
  begin(call, arguments);
}

/// A task or turn has ended: its hooks end first, then its exit handler runs, and then its frame hears of it.
void Machine::leave(NodeIndex index) {
  consider_hooks(index);
  if (hooks_open(index)) return;
  if (!begin_exit_hook(index)) settle(index);
}

void Machine::hook_ended(NodeIndex index) {
  const Node& hook = nodes_[index];
  const NodeIndex owner = hook.owner_node;
  if (owner == entry_) {
    if (nodes_[owner].lets_pass()) entry_ended();
  } else if (nodes_[owner].lets_pass()) {
    leave(owner);
  }
}

/// True when one of the workflow's hooks begins.
bool Machine::consider_workflow_hooks() {
  if (plans_.hooks().empty() || entry_ == kNoNode || exit_ != kNoNode || status_.finished()) return false;
  bool begun = false;
  for (std::uint32_t i = 0; i < plans_.hooks().size(); ++i) {
    const HookPlan& hook = plans_.hooks()[i];
    std::string name = hook_name(workflow_.name, hook.source->name);
    if (find_hook(entry_, name) != kNoNode) continue;
    expr::Scope scope(&globals());
    scope.set("workflow.status", std::string(phase_name(run_phase(nodes_[entry_].phase))));
    const auto* references = hook.expression.references();
    if (!references || std::ranges::find(*references, "workflow.failures") != references->end()) {
      scope.set("workflow.failures", failed_nodes());
    }
    const auto due = holds(hook, globals(), BodyVariables(*this, entry_), scope);
    if (!due) {
      set_phase(entry_, api::NodePhase::kError, due.error().message);
      return begun;
    }
    if (!*due) continue;
    globals_.set("workflow.failures", failed_nodes());
    begin_workflow_hook(hook, i, std::move(name));
    begun = true;
  }
  return begun;
}

void Machine::begin_workflow_hook(const HookPlan& hook, std::uint32_t position, std::string name) {
  const bool exit = position == plans_.hooks().size();
  Call call;
  call.name = std::move(name);
  call.template_name = &hook.source->template_name;
  call.template_ref = hook.template_ref();
  call.plan = hook.target;
  call.owner = exit ? Owner::kExit : Owner::kHook;
  call.owner_node = exit ? kNoNode : entry_;
  if (!exit) call.turn = position;
  call.hooked = true;
  call.on_exit = exit;
  const auto ref = workflow_hook_ref(hook);
  if (!ref) return fail_to_begin(call, ref.error().message);
  aim_at(call, *ref);
  Arguments arguments{.parameters = given_values(*hook.arguments.source), .artifacts = {}};
  for (const ArtifactPlan& plan : hook.arguments.artifacts) {
    auto artifact = resolve_artifact(plan, BodyVariables(*this, entry_), kNoNode);
    if (artifact && *artifact) arguments.artifacts.push_back(std::move(**artifact));
  }
  begin(call, arguments);
}

}  // namespace tiphys::engine
