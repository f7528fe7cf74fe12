// Steps and tasks whose templateRef has tags: what it names is known once they are filled in, and is looked for outside
// unless the workflow has it stored. Until the answer its step is held back, as if there were no room for it.
#include <fmt/format.h>

#include "api/references.h"
#include "engine/machine.h"
#include "engine/variables.h"

namespace tiphys::engine {

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

/// The call is of what the reference has come to, if any. False when that is being looked for.
bool Machine::aim(Call& call, const std::optional<api::TemplateRef>& ref) {
  if (!ref) return true;
  call.template_ref = plans_.keep(*ref);
  call.plan = plans_.find(*ref);
  if (call.plan || api::named_at_run_time(*ref) || missing_.contains(ref->key())) return true;
  if (asked_templates_.insert(ref->key()).second) effects_->push_back(FindTemplate{*ref});
  return false;
}

void Machine::handle(const TemplateAnswered& event) {
  if (asked_templates_.erase(event.ref.key()) == 0) return;
  workflow_.stored_templates.insert(event.templates.begin(), event.templates.end());
  if (!event.error.empty()) missing_.emplace(event.ref.key(), event.error);
  push(Action::Kind::kUnblock, kNoNode);
}

std::string Machine::no_such_template(const Call& call) const {
  if (!call.template_ref) return fmt::format("template name '{}' undefined", *call.template_name);
  if (const auto missing = missing_.find(call.template_ref->key()); missing != missing_.end()) return missing->second;
  return fmt::format("template {} not found in workflow template {}", call.template_ref->template_name,
                     call.template_ref->name);
}

}  // namespace tiphys::engine
