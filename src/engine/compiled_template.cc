#include "engine/compiled_template.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/references.h"

namespace tiphys::engine {
namespace {

const std::string kNoName;

/// True when the hook's expression names what is not below `own`.
bool looks_beyond(const HookPlan& hook, std::string_view own) {
  const auto* references = hook.expression.references();
  if (!references) return !hook.expression.empty();
  return std::ranges::any_of(*references, [&](std::string_view name) {
    return !name.starts_with(own) || (name.size() > own.size() && name[own.size()] != '.');
  });
}

/// The template's document with each input parameter's value as a tag of its own name: rendering fills the values in.
doc::Value document_with_input_tags(const api::Template& source) {
  doc::Value document = source.document ? *source.document : doc::Value(doc::Object{{"name", source.name}});
  doc::Object* object = document.if_object();
  if (!object || source.inputs.parameters.empty()) return document;
  doc::Object& inputs = doc::ensure_object(*object, "inputs");
  doc::Value* listed = inputs.if_contains("parameters");
  doc::Array parameters = listed && listed->is_array() ? std::move(listed->get_array()) : doc::Array();
  for (std::size_t i = 0; i < source.inputs.parameters.size(); ++i) {
    const std::string& name = source.inputs.parameters[i].name;
    if (parameters.size() <= i) parameters.push_back(doc::Object{{"name", name}});
    if (doc::Object* parameter = parameters[i].if_object()) {
      (*parameter)["value"] = "{{inputs.parameters." + name + "}}";
      parameter->erase("valueFrom");
    }
  }
  inputs["parameters"] = std::move(parameters);
  return document;
}

InputPlan compile_input(const api::Parameter& source) {
  InputPlan plan;
  plan.source = &source;
  if (source.value) {
    plan.default_text = Text(*source.value);
  } else if (source.default_value) {
    plan.default_text = Text(*source.default_value);
  } else if (source.value_from && source.value_from->default_value) {
    plan.default_text = Text(*source.value_from->default_value);
  } else {
    return plan;
  }
  plan.has_default = true;
  return plan;
}

bool rich(const api::Inputs& inputs) {
  if (!inputs.artifacts.empty()) return true;
  return std::ranges::any_of(inputs.parameters, [](const api::Parameter& parameter) {
    return (parameter.default_value && has_tag(*parameter.default_value)) || has_tag(parameter.description) ||
           std::ranges::any_of(parameter.enum_values, [](const std::string& value) { return has_tag(value); });
  });
}

OutputPlan compile_output(const api::Parameter& source) {
  OutputPlan plan;
  plan.source = &source;
  if (!source.value_from) return plan;
  plan.from = Text(source.value_from->parameter);
  if (source.value_from->default_value) plan.default_text = Text(*source.value_from->default_value);
  plan.expression = ExpressionText(source.value_from->expression);
  return plan;
}

std::unique_ptr<const LoopPlan> compile_loop(const api::Step& step) {
  // An empty withItems is no loop, as in the original.
  const bool items = step.with_items && !step.with_items->empty();
  if (!items && step.with_param.empty() && !step.with_sequence) return nullptr;
  auto plan = std::make_unique<LoopPlan>();
  if (items) {
    plan->items = &*step.with_items;
    if (doc::Value value(*step.with_items); has_tag(value)) {
      if (auto compiled = expr::DocumentTemplate::compile(std::move(value))) {
        plan->items_with_tags = std::make_unique<const expr::DocumentTemplate>(std::move(*compiled));
      }
    }
  } else if (!step.with_param.empty()) {
    plan->param = Text(step.with_param);
  } else {
    plan->sequence = true;
    plan->count = Text(step.with_sequence->count);
    plan->start = Text(step.with_sequence->start);
    plan->end = Text(step.with_sequence->end);
    plan->format = Text(step.with_sequence->format);
  }
  return plan;
}

std::unique_ptr<const RetryPlan> compile_retry(const std::optional<api::RetryStrategy>& own,
                                               const std::optional<api::RetryStrategy>& of_workflow) {
  const api::RetryStrategy* source = own ? &*own : of_workflow ? &*of_workflow : nullptr;
  if (!source) return nullptr;
  auto plan = std::make_unique<RetryPlan>();
  plan->source = source;
  if (source->limit) plan->limit = Text(*source->limit);
  if (source->backoff) {
    plan->duration = Text(source->backoff->duration);
    plan->factor = Text(source->backoff->factor);
    plan->cap = Text(source->backoff->cap);
    plan->max_duration = Text(source->backoff->max_duration);
  }
  plan->expression = ExpressionText(source->expression);
  return plan;
}

bool wants_result(const MetricPlan& metric) {
  const auto names_it = [](const Text& text) { return text.source().find("outputs.result") != std::string::npos; };
  return names_it(metric.value) || names_it(metric.when) || names_it(metric.name) ||
         std::ranges::any_of(metric.labels,
                             [&](const auto& label) { return names_it(label.key) || names_it(label.value); });
}

}  // namespace

ArtifactPlan compile_artifact(const api::Artifact& source) {
  ArtifactPlan plan;
  plan.source = &source;
  plan.from = Text(source.from);
  plan.from_expression = Text(source.from_expression);
  plan.sub_path = Text(source.sub_path);
  if (doc::Value value(source.raw); has_tag(value) && source.from.empty() && source.from_expression.empty()) {
    if (auto compiled = expr::DocumentTemplate::compile(std::move(value))) {
      plan.raw = std::make_unique<const expr::DocumentTemplate>(std::move(*compiled));
    }
  }
  return plan;
}

ArgumentsPlan compile_arguments(const api::Arguments& source) {
  ArgumentsPlan plan;
  plan.source = &source;
  plan.parameters.reserve(source.parameters.size());
  for (const api::Parameter& parameter : source.parameters) {
    plan.parameters.push_back(parameter.value ? Text(*parameter.value) : Text());
  }
  plan.artifacts.reserve(source.artifacts.size());
  for (const api::Artifact& artifact : source.artifacts) plan.artifacts.push_back(compile_artifact(artifact));
  return plan;
}

std::vector<MetricPlan> compile_metrics(const std::vector<api::Metric>& sources) {
  std::vector<MetricPlan> plans;
  for (const api::Metric& source : sources) {
    MetricPlan& plan = plans.emplace_back();
    plan.source = &source;
    plan.name = Text(source.name);
    plan.help = Text(source.help);
    plan.when = Text(source.when);
    if (source.value()) plan.value = Text(*source.value());
    for (const api::Metric::Label& label : source.labels) plan.labels.push_back({Text(label.key), Text(label.value)});
  }
  return plans;
}

std::uint32_t CompiledTemplate::group_of(std::uint32_t task) const {
  const auto after = std::ranges::upper_bound(group_begin, task);
  return static_cast<std::uint32_t>(after - group_begin.begin()) - 1;
}

bool CompiledTemplate::comes_after(std::uint32_t task, std::uint32_t other) const {
  if (steps()) return group_of(other) < group_of(task);
  std::vector<bool> seen(tasks.size());
  std::vector<std::uint32_t> open{task};
  while (!open.empty()) {
    const std::uint32_t later = open.back();
    open.pop_back();
    for (const std::uint32_t dependency : dependencies(later)) {
      if (dependency == other) return true;
      if (seen[dependency]) continue;
      seen[dependency] = true;
      open.push_back(dependency);
    }
  }
  return false;
}

std::optional<std::pair<std::uint32_t, std::string_view>> CompiledTemplate::find_task(std::string_view path) const {
  std::optional<std::pair<std::uint32_t, std::string_view>> longest;
  for (std::size_t dot = path.find('.');; dot = path.find('.', dot + 1)) {
    if (const auto found = task_index.find(path.substr(0, dot)); found != task_index.end()) {
      longest.emplace(found->second, dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1));
    }
    // Only names that tags have made may have dots.
    if (!pattern || dot == std::string_view::npos) return longest;
  }
}

CompiledWorkflow::CompiledWorkflow(const api::Workflow& workflow) : workflow_(workflow) {
  for (const auto& source : workflow.spec.templates) by_name_.emplace(source->name, &add(*source, ""));
  // Steps point at templates that follow: compile once all are known. Those that are inline or elsewhere are added on
  // the way.
  const api::WorkflowSpec& spec = workflow.spec;
  if (spec.exit) exit_ = std::make_unique<const HookPlan>(compile_hook("", *spec.exit, true));
  for (const api::LifecycleHook& hook : spec.hooks) hooks_.push_back(compile_hook("", hook, false));
  compile_from(0);
  arguments_ = compile_arguments(spec.arguments);
  locks_ = compile_locks(spec.synchronization);
  metrics_ = compile_metrics(spec.metrics);
}

const CompiledTemplate* CompiledWorkflow::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const CompiledTemplate* CompiledWorkflow::find(const api::TemplateRef& ref) {
  const std::size_t before = templates_.size();
  const CompiledTemplate* found = named("", "", ref);
  compile_from(before);
  return found;
}

const api::TemplateRef* CompiledWorkflow::keep(const api::TemplateRef& ref) {
  return &refs_.try_emplace(ref.key(), ref).first->second;
}

const CompiledTemplate* CompiledWorkflow::add_copy(const CompiledTemplate& pattern, api::Template copy) {
  const std::size_t before = templates_.size();
  copies_.push_back(std::make_unique<const api::Template>(std::move(copy)));
  CompiledTemplate& added = add(*copies_.back(), pattern.scope);
  added.pattern = &pattern;
  added.inlined = pattern.inlined;
  compile_from(before);
  return &added;
}

/// With those that come to light on the way.
void CompiledWorkflow::compile_from(std::size_t first) {
  for (std::size_t i = first; i < templates_.size(); ++i) compile(*templates_[i]);
}

CompiledTemplate& CompiledWorkflow::add(const api::Template& source, std::string scope) {
  templates_.push_back(std::make_unique<CompiledTemplate>());
  templates_.back()->source = &source;
  templates_.back()->scope = std::move(scope);
  return *templates_.back();
}

const CompiledTemplate* CompiledWorkflow::named(const std::string& scope, std::string_view name,
                                                const std::optional<api::TemplateRef>& ref) {
  if (!ref && scope.empty()) return find(name);
  const api::Template* source = workflow_.find_template(scope, name, ref);
  if (!source) return nullptr;
  CompiledTemplate*& known = elsewhere_[source];
  if (!known) known = &add(*source, ref ? ref->scope() : scope);
  return known;
}

HookPlan CompiledWorkflow::compile_hook(const std::string& scope, const api::LifecycleHook& source, bool exit) {
  HookPlan plan;
  plan.source = &source;
  plan.target = named(scope, source.template_name, source.template_ref);
  const bool bare = source.arguments.parameters.empty() && source.arguments.artifacts.empty();
  plan.arguments = compile_arguments(exit && bare ? workflow_.spec.arguments : source.arguments);
  plan.expression = ExpressionText(source.expression);
  return plan;
}

void CompiledWorkflow::compile(CompiledTemplate& compiled) {
  const api::Template& source = *compiled.source;
  compiled.pod = source.runs_pod();
  compiled.rich_inputs = rich(source.inputs);
  for (const api::Parameter& parameter : source.inputs.parameters) {
    compiled.input_index.emplace(parameter.name, static_cast<std::uint32_t>(compiled.inputs.size()));
    compiled.inputs.push_back(compile_input(parameter));
  }
  compiled.retry = compile_retry(source.retry_strategy, workflow_.spec.retry_strategy);
  compiled.active_deadline = Text(source.active_deadline_seconds);
  compiled.timeout = Text(source.timeout);
  compiled.pending_timeout = Text(source.pending_timeout);
  compiled.display_name = Text(source.display_name);
  compiled.metrics = compile_metrics(source.metrics);
  compiled.metrics_want_result = std::ranges::any_of(compiled.metrics, wants_result);
  if (source.suspend) compiled.suspend_duration = Text(source.suspend->duration);
  compiled.locks = compile_locks(source.synchronization);
  if (source.memoize) {
    compiled.memo_key = Text(source.memoize->key);
    compiled.memo_max_age = Text(source.memoize->max_age);
    compiled.memo_config_map = Text(source.memoize->config_map);
  }
  if (compiled.pod || source.is_action()) {
    compiled.document = expr::DocumentTemplate::compile(document_with_input_tags(source));
    if (compiled.document) compiled.references = compiled.document->references();
    return;
  }
  const bool holds_others = compiled.steps() || compiled.dag();
  if (holds_others && !compiled.pattern && has_tagged_names(source)) compiled.pattern = &compiled;
  for (const api::Parameter& output : source.outputs.parameters) compiled.outputs.push_back(compile_output(output));
  for (const api::Artifact& output : source.outputs.artifacts) {
    compiled.output_artifacts.push_back(compile_artifact(output));
  }

  const auto add_step = [&](const api::Step& step) {
    CompiledStep& added = compiled.tasks.emplace_back();
    added.source = &step;
    if (step.inline_template) {
      CompiledTemplate*& known = elsewhere_[step.inline_template.get()];
      if (!known) known = &add(*step.inline_template, compiled.scope);
      known->inlined = true;
      added.target = known;
    } else if (step.template_ref && api::named_at_run_time(*step.template_ref)) {
      added.ref = std::make_unique<const RefPlan>(RefPlan{
          Text(step.template_ref->name), Text(step.template_ref->template_name), step.template_ref->cluster_scope});
    } else {
      added.target = named(compiled.scope, step.template_name, step.template_ref);
    }
    added.when = Text(step.when);
    added.arguments = compile_arguments(step.arguments);
    added.loop = compile_loop(step);
    if (step.exit) added.exit = std::make_unique<const HookPlan>(compile_hook(compiled.scope, *step.exit, true));
    const std::string own = fmt::format("{}.{}", compiled.dag() ? "tasks" : "steps", step.name);
    for (const api::LifecycleHook& hook : step.hooks) {
      added.hooks.push_back(compile_hook(compiled.scope, hook, false));
      compiled.has_hooks = true;
      added.hooks_look_around |= looks_beyond(added.hooks.back(), own);
    }
    compiled.task_index.emplace(step.name, static_cast<std::uint32_t>(compiled.tasks.size() - 1));
  };
  if (compiled.steps()) {
    for (const api::StepGroup& group : source.steps) {
      compiled.group_begin.push_back(static_cast<std::uint32_t>(compiled.tasks.size()));
      for (const api::Step& step : group) add_step(step);
    }
    compiled.group_begin.push_back(static_cast<std::uint32_t>(compiled.tasks.size()));
    mark_wanted_results(compiled);
  } else if (compiled.dag() && source.dag) {
    compiled.tasks.reserve(source.dag->tasks.size());
    for (const api::Step& task : source.dag->tasks) add_step(task);
    compile_dag(compiled);
    mark_wanted_results(compiled);
  }
}

}  // namespace tiphys::engine
