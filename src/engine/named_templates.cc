// Steps, tasks and hooks whose templateRef has tags: what it names is known once they are filled in, and is looked for
// outside unless the workflow has it stored. Until the answer its step, or what a hook belongs to, is held back, as if
// there were no room for it.
#include <fmt/format.h>

#include "api/references.h"
#include "engine/machine.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

/// What a step or hook of a template in this scope names, as a reference; nothing: one of the workflow.
std::optional<api::TemplateRef> ref_within(std::string_view scope, const std::string& template_name,
                                           const api::TemplateRef* ref) {
  if (ref) return *ref;
  const std::size_t slash = scope.find('/');
  if (slash == std::string_view::npos || template_name.empty()) return std::nullopt;
  return api::TemplateRef{std::string(scope.substr(slash + 1)), template_name, scope.substr(0, slash) == "cluster"};
}

/// Of texts that only name what the workflow has.
class NoVariables final : public Variables {
 public:
  void provide(std::string_view, expr::Scope&) const override {}
};

}  // namespace

/// Where the step's has tags. In a loop those on the item are still there.
Result<std::optional<api::TemplateRef>> Machine::resolve_ref(Frame& frame, std::uint32_t task) {
  const RefPlan* plan = frame.plan->tasks[task].ref.get();
  if (!plan) return std::nullopt;
  const SiblingVariables variables(*this, frame.node);
  api::TemplateRef ref;
  ref.cluster_scope = plan->cluster_scope;
  TIPHYS_TRY(ref.name, render(plan->name, globals(), variables, Leftover::kFailSiblings));
  TIPHYS_TRY(ref.template_name, render(plan->template_name, globals(), variables, Leftover::kFailSiblings));
  return ref;
}

/// The call is of what the reference has come to, if any.
void Machine::aim_at(Call& call, const std::optional<api::TemplateRef>& ref) {
  if (!ref) return;
  call.template_ref = plans_.keep(*ref);
  call.plan = plans_.find(*ref);
}

/// The same. False when that is being looked for.
bool Machine::aim(Call& call, const std::optional<api::TemplateRef>& ref) {
  aim_at(call, ref);
  return !ref || call.plan || !wait_for_template(*ref);
}

/// True when one that the workflow has not stored is being looked for.
bool Machine::wait_for_template(const api::TemplateRef& ref) {
  if (api::named_at_run_time(ref) || plans_.find(ref) || missing_.contains(ref.key())) return false;
  if (asked_templates_.insert(ref.key()).second) effects_->push_back(FindTemplate{ref});
  return true;
}

/// What the tags in the templateRef of a hook come to, if it has any.
Result<std::optional<api::TemplateRef>> Machine::hook_ref(const HookPlan& hook, const Variables& variables) {
  if (!hook.template_ref() || !api::named_at_run_time(*hook.template_ref())) return std::nullopt;
  api::TemplateRef ref = *hook.template_ref();
  TIPHYS_TRY(ref.name, render(std::string_view(ref.name), globals(), variables, Leftover::kKeep));
  TIPHYS_TRY(ref.template_name, render(std::string_view(ref.template_name), globals(), variables, Leftover::kKeep));
  return ref;
}

/// Whether all that the node's template names by tags of its own is there. The templates of hooks are asked for before
/// what they belong to begins: a hook cannot wait, for what it is to see would pass.
bool Machine::aim_names(NodeIndex index) {
  const CompiledTemplate& plan = *nodes_[index].plan;
  if (!plan.pattern) return true;
  bool ready = true;
  const auto look = [&](const CompiledTemplate* target, const std::string& name, const api::TemplateRef* ref) {
    if (target) return;
    const auto wanted = ref_within(plan.scope, name, ref);
    if (wanted && wait_for_template(*wanted)) ready = false;
  };
  const auto look_at_hook = [&](const HookPlan& hook) {
    look(hook.target, hook.source->template_name, hook.template_ref());
  };
  for (const CompiledStep& step : plan.tasks) {
    look(step.target, step.source->template_name, nullptr);
    if (step.exit) look_at_hook(*step.exit);
    for (const HookPlan& hook : step.hooks) look_at_hook(hook);
  }
  return ready;
}

/// The same of the workflow's own hooks.
bool Machine::aim_workflow_hooks() {
  bool ready = true;
  const auto look = [&](const HookPlan& hook) {
    const auto ref = workflow_hook_ref(hook);
    if (ref && *ref && wait_for_template(**ref)) ready = false;
  };
  if (plans_.exit()) look(*plans_.exit());
  for (const HookPlan& hook : plans_.hooks()) look(hook);
  return ready;
}

Result<std::optional<api::TemplateRef>> Machine::workflow_hook_ref(const HookPlan& hook) {
  return hook_ref(hook, NoVariables());
}

/// The same of a turn, where tags are left for its item.
bool Machine::aim_hooks_of_turn(Frame& frame, std::uint32_t task, const LoopItem& item) {
  const CompiledStep& step = frame.plan->tasks[task];
  if (!frame.plan->pattern || !frame.plan->steps()) return true;
  const SiblingVariables outer(*this, frame.node);
  bool ready = true;
  const auto look = [&](const HookPlan& hook) {
    const auto ref = hook_ref(hook, ItemVariables(outer, item));
    if (ref && *ref && wait_for_template(**ref)) ready = false;
  };
  if (step.exit) look(*step.exit);
  for (const HookPlan& hook : step.hooks) look(hook);
  return ready;
}

void Machine::handle(const TemplateAnswered& event) {
  if (asked_templates_.erase(event.ref.key()) == 0) return;
  workflow_.stored_templates.insert(event.templates.begin(), event.templates.end());
  if (!event.error.empty()) missing_.emplace(event.ref.key(), event.error);
  if (entry_ == kNoNode && !suspended_) return begin_entry();
  push(Action::Kind::kUnblock, kNoNode);
}

std::string Machine::no_such_template(const Call& call) const {
  if (!call.template_ref) return fmt::format("template name '{}' undefined", *call.template_name);
  if (const auto missing = missing_.find(call.template_ref->key()); missing != missing_.end()) return missing->second;
  return fmt::format("template {} not found in workflow template {}", call.template_ref->template_name,
                     call.template_ref->name);
}

}  // namespace tiphys::engine
