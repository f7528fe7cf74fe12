#include "api/references.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/join.h"
#include "api/parse.h"
#include "api/variables.h"

namespace tiphys::api {
namespace {

std::string_view kind_name(const TemplateHolder& holder) {
  return holder.cluster_scope ? "ClusterWorkflowTemplate" : "WorkflowTemplate";
}

/// As Kubernetes words it.
Error missing(const TemplateHolder& holder) {
  return {Code::kNotFound,
          fmt::format("{}.argoproj.io \"{}\" not found",
                      holder.cluster_scope ? "clusterworkflowtemplate" : "workflowtemplate", holder.name)};
}

TemplateRef ref_to(const TemplateHolder& holder, const std::string& template_name) {
  return {holder.name, template_name, holder.cluster_scope};
}

}  // namespace

References::References(const Workflow& workflow, doc::Shared defaults)
    : workflow_spec_(workflow.spec.document), defaults_(std::move(defaults)) {
  // What another run has left it stays as it is.
  if (const doc::Value* left = doc::find(*workflow.document, "status", "storedTemplates"); left && left->is_object()) {
    templates_ = left->get_object();
  }
  if (const auto& ref = workflow.spec.workflow_template_ref; ref && !workflow.joined) {
    want(base_.emplace(ref->cluster_scope, ref->name));
  } else {
    visit(workflow.spec);
  }
}

References::References(const Workflow& workflow, const TemplateRef& ref) {
  for (const auto& [key, tmpl] : workflow.stored_templates) seen_.insert(key);
  use(ref);
}

void References::want(const TemplateHolder& holder) {
  if (!known_.contains(holder)) wanted_.insert(holder);
}

void References::add(const TemplateHolder& holder, const doc::Shared& object) {
  wanted_.erase(holder);
  std::optional<Workflow>& known = known_[holder];
  if (object) {
    std::vector<Finding> findings;
    known = parse_workflow(*object, findings);
    for (const Finding& finding : findings) {
      if (!finding.is_error() || error_) continue;
      error_ = Error{Code::kInvalidArgument, fmt::format("{} {}: {}", kind_name(holder), holder.name, finding.message)};
    }
  }
  if (error_) return wanted_.clear();
  if (base_ == holder) join(holder);
  follow();
}

void References::join(const TemplateHolder& holder) {
  const std::optional<Workflow>& base = known_[holder];
  if (!base) {
    error_ = missing(holder);
    return;
  }
  Result<doc::Value> joined = join_workflow_spec(*workflow_spec_, *base->spec.document, defaults_.get());
  if (!joined) {
    error_ = joined.error();
    return;
  }
  spec_ = std::move(*joined);
  // As the original's validation does, which looks at them by name.
  for (const auto& tmpl : base->spec.templates) use(ref_to(holder, tmpl->name));
  std::vector<Finding> findings;
  visit(parse_workflow(doc::Object{{"apiVersion", "argoproj.io/v1alpha1"}, {"kind", "Workflow"}, {"spec", *spec_}},
                       findings)
            .spec);
}

void References::use(const TemplateRef& ref) {
  if (ref.name.empty() || named_at_run_time(ref)) return;
  if (!seen_.insert(ref.key()).second) return;
  TemplateHolder holder{ref.cluster_scope, ref.name};
  want(holder);
  uses_.push_back({std::move(holder), ref.template_name});
}

void References::visit(const WorkflowSpec& spec) {
  if (spec.exit) visit(*spec.exit, std::nullopt);
  for (const LifecycleHook& hook : spec.hooks) visit(hook, std::nullopt);
  for (const auto& tmpl : spec.templates) visit(*tmpl, std::nullopt);
  follow();
}

void References::visit(const Template& tmpl, const Scope& scope) {
  for (const StepGroup& group : tmpl.steps) {
    for (const Step& step : group) visit(step, scope);
  }
  if (!tmpl.dag) return;
  for (const Step& task : tmpl.dag->tasks) visit(task, scope);
}

void References::use(const std::optional<TemplateRef>& ref, const std::string& name, const Scope& scope) {
  if (ref) return use(*ref);
  if (scope && !name.empty()) use(ref_to(*scope, name));
}

void References::visit(const LifecycleHook& hook, const Scope& scope) {
  use(hook.template_ref, hook.template_name, scope);
}

void References::visit(const Step& step, const Scope& scope) {
  use(step.template_ref, step.template_name, scope);
  if (step.exit) visit(*step.exit, scope);
  for (const LifecycleHook& hook : step.hooks) visit(hook, scope);
  if (!step.inline_template) return;
  if (scope) {
    const std::string key = fmt::format("{}/inline/{}", ref_to(*scope, "").scope(), step.name);
    templates_.emplace(key, *step.inline_template->document);
  }
  visit(*step.inline_template, scope);
}

/// Looks at every template of an object that is here.
void References::follow() {
  for (bool progress = true; progress;) {
    progress = false;
    for (const Use& next : std::exchange(uses_, {})) {
      const auto known = known_.find(next.holder);
      if (known == known_.end()) {
        uses_.push_back(next);
        continue;
      }
      progress = true;
      const Template* tmpl = known->second ? known->second->spec.find_template(next.template_name) : nullptr;
      if (!tmpl) continue;
      doc::Value stored = *tmpl->document;
      add_pod_metadata(stored, *known->second->spec.document);
      templates_.emplace(ref_to(next.holder, next.template_name).key(), std::move(stored));
      visit(*tmpl, next.holder);
    }
  }
}

bool References::found(const TemplateHolder& holder) const {
  const auto known = known_.find(holder);
  return known != known_.end() && known->second;
}

doc::Object References::status_fields() const {
  doc::Object fields;
  if (!templates_.empty()) fields["storedTemplates"] = templates_;
  if (spec_) fields["storedWorkflowTemplateSpec"] = *spec_;
  return fields;
}

doc::Value References::stored_in(const doc::Value& workflow) const {
  doc::Value whole = workflow;
  doc::Object& status = doc::ensure_object(whole.as_object(), "status");
  for (auto& [key, value] : status_fields()) status[key] = value;
  return whole;
}

bool named_at_run_time(const TemplateRef& ref) {
  return has_tag(ref.name) || has_tag(ref.template_name);
}

bool named_at_run_time(const LifecycleHook& hook) {
  return hook.template_ref && named_at_run_time(*hook.template_ref);
}

bool refers_at_run_time(const Workflow& workflow) {
  const WorkflowSpec& spec = workflow.spec;
  return (spec.exit && named_at_run_time(*spec.exit)) ||
         std::ranges::any_of(spec.hooks, [](const auto& hook) { return named_at_run_time(hook); }) ||
         std::ranges::any_of(spec.templates, [](const auto& tmpl) { return refers_at_run_time(*tmpl); }) ||
         std::ranges::any_of(workflow.stored_templates,
                             [](const auto& each) { return refers_at_run_time(*each.second); });
}

bool refers_at_run_time(const Template& tmpl) {
  const auto by_hook = [](const LifecycleHook& hook) { return named_at_run_time(hook); };
  const auto open = [&](const Step& step) {
    return (step.template_ref && named_at_run_time(*step.template_ref)) ||
           (step.inline_template && refers_at_run_time(*step.inline_template)) || (step.exit && by_hook(*step.exit)) ||
           std::ranges::any_of(step.hooks, by_hook);
  };
  return std::ranges::any_of(tmpl.steps, [&](const StepGroup& group) { return std::ranges::any_of(group, open); }) ||
         (tmpl.dag && std::ranges::any_of(tmpl.dag->tasks, open));
}

}  // namespace tiphys::api
