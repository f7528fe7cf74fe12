#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/artifact_location.h"
#include "api/references.h"
#include "api/validator.h"
#include "base/strings.h"
#include "base/whole_number.h"
#include "expr/condition.h"

namespace tiphys::api {
namespace {

bool has_place(const Artifact& artifact) {
  return is_placed(artifact.location);
}

/// Complaints that no value of a tag could silence.
bool structural(std::string_view message) {
  for (const char* what : {"Unbalanced parenthesis", "Unclosed", "Unexpected end", "Invalid token"}) {
    if (message.find(what) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

const Template* Validator::target(const Step& step) const {
  if (step.inline_template) return step.inline_template.get();
  return workflow_.find_template(scope_, step.template_name, step.template_ref);
}

void Validator::check_call(const Step& call, const Spot& spot) {
  if (call.inline_template) {
    if (call.template_name.empty() && !call.template_ref) return;
    return lint_error(spot.pointer,
                      spot.name + " has a template of its own (inline) beside the one that it names: choose one");
  }
  if (call.template_ref) return check_ref(call, spot.at("/templateRef"));
  if (has_tag(call.template_name)) return;
  const Spot at = spot.at("/template");
  if (call.template_name.empty()) {
    error(at.pointer, spot.name + ": template, templateRef or inline is required", true);
    return;
  }
  if (const Template* called = target(call)) {
    if (!scope_.empty()) check_later(called, scope_, spot.pointer);
    return;
  }
  if (!scope_.empty() && !validation_.references) return;
  std::vector<std::string> known;
  if (scope_.empty()) {
    for (const auto& each : workflow_.spec.templates) known.push_back(each->name);
  }
  error(at.pointer, fmt::format("{}: template name '{}' undefined{}", spot.name, call.template_name,
                                did_you_mean(call.template_name, known)));
}

void Validator::check_ref(const Step& call, const Spot& spot) {
  const TemplateRef& ref = *call.template_ref;
  if (!call.template_name.empty()) {
    error(spot.pointer, spot.name + ": template name cannot be specified with templateRef", true);
  }
  if (ref.name.empty()) {
    error(spot.pointer, spot.name + ": templateRef.name: resource name is required", true);
  } else if (ref.template_name.empty()) {
    error(spot.pointer, spot.name + ": templateRef.template: template name is required", true);
  } else if (named_at_run_time(ref)) {
    return;  // judged once it is found
  } else if (const Template* called = target(call)) {
    check_later(called, ref.scope(), spot.pointer);
  } else if (validation_.references) {
    error(spot.pointer, fmt::format("{}: template reference {}.{} not found", spot.name, ref.name, ref.template_name),
          true);
  }
}

/// Of what `spot` says. Without arguments of its own an exit handler gets the workflow's.
void Validator::check_hook(const LifecycleHook& hook, const Spot& spot) {
  const bool on_exit = hook.name == "onExit";
  const Spot own =
      on_exit ? Spot{spot.pointer + "/onExit", spot.name + ".onExit"}
              : Spot{spot.pointer + "/hooks" + doc::pointer_step(hook.name), spot.name + ".hooks." + hook.name};
  Step call;
  call.template_name = hook.template_name;
  call.template_ref = hook.template_ref;
  check_call(call, own);
  if (!hook.expression.empty()) check_expression(hook.expression, own.at("/expression"));
  const bool has_own = !hook.arguments.parameters.empty() || !hook.arguments.artifacts.empty();
  if (has_own) check_arguments(hook.arguments, own.at("/arguments"));
  const bool given = has_own || !(on_exit || hook.name == "exit");
  const Template* found = target(call);
  if (!found || (!given && workflow_.is_template())) return;
  check_supplied(*found, given ? hook.arguments : workflow_.spec.arguments, own);
}

void Validator::check_steps(const Template& tmpl, const Spot& spot, Variables& scope, NodeOutputs& before) {
  const doc::Value& document = *doc::find(*tmpl.document, "steps");
  if (tmpl.steps.empty()) error(spot.pointer + "/steps", spot.name + " must have at least one step", true);
  std::set<std::string, std::less<>> seen;
  scope.add_nodes(before);
  for (std::size_t i = 0; i < tmpl.steps.size(); ++i) {
    const doc::Value& group_document = document.get_array()[i];
    if (tmpl.steps[i].empty()) {
      lint_warn(fmt::format("{}/steps/{}", spot.pointer, i),
                fmt::format("{}.steps[{}] does nothing: it has no step", spot.name, i));
    }
    const bool bare = group_document.is_object();
    for (std::size_t j = 0; j < tmpl.steps[i].size(); ++j) {
      const Step& step = tmpl.steps[i][j];
      const std::string group = fmt::format("{}/steps/{}", spot.pointer, i);
      const std::string pointer = bare ? group : fmt::format("{}/{}", group, j);
      check_name(step.name, NameKind::kStep, {pointer + "/name", fmt::format("{}.steps[{}]", spot.name, i)}, seen);
      check_step(step, bare ? group_document : group_document.get_array()[j],
                 {pointer, fmt::format("{}.steps[{}].{}", spot.name, i, step.name)}, scope, "steps.");
    }
    // Members of a group start together: none sees the outputs of another.
    for (const Step& step : tmpl.steps[i]) before.add(step, target(step));
  }
}

void Validator::check_step(const Step& step, const doc::Value& document, const Spot& spot, const Variables& scope,
                           std::string_view prefix) {
  Variables own(&scope);
  own.add(fmt::format("{}{}.status", prefix, step.name));
  NodeOutputs self(prefix);
  if (step.exit || !step.hooks.empty()) {
    self.add(step, target(step));
    own.add_nodes(self);
  }
  check_loop(step, spot, own);
  check_texts(document, spot, "inline", own);
  check_arguments(step.arguments, spot.at("/arguments"));
  check_when(step, spot);
  check_call(step, spot);
  lint_step(step, spot);

  if (step.exit) check_hook(*step.exit, spot);
  for (const LifecycleHook& hook : step.hooks) check_hook(hook, spot);
  const Template* called = target(step);
  if (called) check_supplied(*called, step.arguments, spot);
  if (step.inline_template) {
    const Variables* around = std::exchange(step_, &own);
    check_template(*step.inline_template, {spot.pointer + "/inline", spot.name + ".inline"}, own);
    step_ = around;
  }
}

void Validator::check_when(const Step& step, const Spot& spot) {
  if (step.when.empty()) return;
  const bool constant = !has_tag(step.when);
  const auto verdict = expr::eval_when(constant ? step.when : replace_tags(step.when, "x"));
  if (verdict) {
    if (constant) lint_warn(spot.pointer + "/when", fmt::format("{}: when is always {}", spot.name, *verdict));
    return;
  }
  const std::string& message = verdict.error().message;
  if (constant) {
    error(spot.pointer + "/when", fmt::format("{}: {}", spot.name, message));
  } else if (message.starts_with("Invalid") && structural(message)) {
    error(spot.pointer + "/when", fmt::format("{}: with its tags taken as x: {}", spot.name, message));
  }
}

void Validator::check_loop(const Step& step, const Spot& spot, Variables& scope) {
  const int kinds = (step.with_items && !step.with_items->empty() ? 1 : 0) + (step.with_param.empty() ? 0 : 1) +
                    (step.with_sequence ? 1 : 0);
  if (kinds > 1) {
    error(spot.pointer, spot.name + " only one of withItems, withParam, withSequence can be specified", true);
  }
  if (!step.with_param.empty()) {
    scope.add("item");
    scope.add_prefix("item.");
  } else if (step.with_sequence) {
    scope.add("item");
    check_sequence(*step.with_sequence, spot.at("/withSequence"));
  } else if (step.with_items) {
    if (step.with_items->empty()) {
      lint_warn(spot.pointer + "/withItems",
                spot.name + ": an empty withItems is no loop: it runs once. withParam: \"[]\" does not run");
    }
    for (std::size_t i = 0; i < step.with_items->size(); ++i) {
      const doc::Value& item = (*step.with_items)[i];
      if (item.is_null()) {
        error(fmt::format("{}/withItems/{}", spot.pointer, i),
              fmt::format("{}.withItems[{}] must be a string, number, boolean, list or map, not null", spot.name, i));
      }
      if (const doc::Object* object = item.if_object()) {
        for (const auto& member : *object) scope.add("item." + std::string(member.key()));
      } else if (const doc::Array* array = item.if_array()) {
        for (std::size_t k = 0; k < array->size(); ++k) scope.add(fmt::format("item.[{}]", k));
      } else {
        scope.add("item");
      }
    }
  }
}

void Validator::check_sequence(const Sequence& sequence, const Spot& spot) {
  if (!sequence.count.empty() && !sequence.end.empty()) {
    error(spot.pointer, spot.name + " only one of count or end can be defined in withSequence", true);
  } else if (sequence.count.empty() && sequence.end.empty()) {
    error(spot.pointer, spot.name + " must have either end or count in withSequence", true);
  }
  const auto check_number = [&](std::string_view field, const std::string& text) {
    if (text.empty() || has_tag(text) || whole_number(text)) return;
    error(fmt::format("{}/{}", spot.pointer, field),
          fmt::format("{}.withSequence.{} must be a whole number, not \"{}\"", spot.name, field, text));
  };
  check_number("count", sequence.count);
  check_number("start", sequence.start);
  check_number("end", sequence.end);
  lint_sequence(sequence, spot);
  if (!sequence.format.empty() && !has_tag(sequence.format) && sequence.format.find('%') == std::string::npos) {
    lint_warn(spot.pointer + "/format",
              fmt::format("{}.withSequence.format \"{}\" has no place for the number, such as %d or %03d", spot.name,
                          sequence.format));
  }
}

namespace {

bool gives_argument(const ValueFrom& from) {
  return (from.config_map || from.supplied) && from.path.empty() && from.json_path.empty() && from.parameter.empty() &&
         from.expression.empty();
}

}  // namespace

void Validator::check_arguments(const Arguments& arguments, const Spot& spot) {
  std::set<std::string, std::less<>> seen;
  const NameKind kind = spot.pointer.starts_with("/spec/arguments") ? NameKind::kParameter : NameKind::kOutput;
  for (std::size_t i = 0; i < arguments.parameters.size(); ++i) {
    const Parameter& parameter = arguments.parameters[i];
    const std::string pointer = fmt::format("{}/parameters/{}", spot.pointer, i);
    const std::string name = fmt::format("{}.arguments.{}", spot.name, parameter.name);
    check_name(parameter.name, kind, {pointer + "/name", fmt::format("{}.arguments.parameters[{}]", spot.name, i)},
               seen);
    const bool template_arguments = workflow_.is_template() && spot.pointer == "/spec/arguments";
    const bool waits = template_arguments || (validation_.lint && spot.pointer == "/spec/arguments") ||
                       (workflow_.spec.workflow_template_ref && !workflow_.joined);
    if (!parameter.value_from && !parameter.value) {
      if (!waits) error(pointer, fmt::format("{}.value or {}.valueFrom is required", name, name));
    } else if (parameter.value_from && !gives_argument(*parameter.value_from)) {
      error(pointer + "/valueFrom", name + ".valueFrom only allows: default, configMapKeyRef and supplied", true);
    } else if (!parameter.value && !parameter.enum_values.empty() && !waits) {
      error(pointer, name + ".value is required");
    }
    if (parameter.enum_values.empty() || !parameter.value || has_tag(*parameter.value)) continue;
    if (std::ranges::find(parameter.enum_values, *parameter.value) == parameter.enum_values.end()) {
      error(pointer + "/value", fmt::format("{}.value should be present in {}.enum list: {}", name, name,
                                            join(parameter.enum_values, ", ")));
    }
  }
  seen.clear();
  for (std::size_t i = 0; i < arguments.artifacts.size(); ++i) {
    const Artifact& artifact = arguments.artifacts[i];
    const std::string pointer = fmt::format("{}/artifacts/{}", spot.pointer, i);
    const std::string name = fmt::format("{}.arguments.{}", spot.name, artifact.name);
    check_name(artifact.name, kind, {pointer + "/name", fmt::format("{}.arguments.artifacts[{}]", spot.name, i)}, seen);
    if (artifact.from.empty() && !has_place(artifact)) {
      const bool tries = !artifact.from_expression.empty();
      error(tries ? pointer + "/fromExpression" : pointer,
            fmt::format("{}.from, artifact location, or key is required{}", name,
                        tries ? ": fromExpression is for outputs of steps and dag templates" : ""),
            tries);
    } else if (!artifact.from.empty() && !artifact.from_expression.empty()) {
      error(pointer + "/fromExpression", name + " shouldn't have both `from` and `fromExpression` in Artifact", true);
    }
    check_expression(artifact.from_expression, {pointer + "/fromExpression", name + ".fromExpression"});
  }
}

void Validator::check_supplied(const Template& called, const Arguments& arguments, const Spot& spot) {
  const auto may_be = [](const std::string& given, const std::string& input) {
    return given == input || (has_tag(given) && may_become(given, input));
  };
  for (const Parameter& input : called.inputs.parameters) {
    if (input.value || input.default_value || input.value_from) continue;
    if (std::ranges::any_of(arguments.parameters, [&](const auto& given) { return may_be(given.name, input.name); })) {
      continue;
    }
    error(spot.pointer, fmt::format("{}: inputs.parameters.{} had no value: template \"{}\" requires it", spot.name,
                                    input.name, called.name));
  }
  for (const Artifact& input : called.inputs.artifacts) {
    if (input.optional || has_place(input)) continue;
    if (std::ranges::any_of(arguments.artifacts, [&](const auto& given) { return may_be(given.name, input.name); })) {
      continue;
    }
    error(spot.pointer, fmt::format("{}: inputs.artifacts.{} was not supplied: template \"{}\" requires it", spot.name,
                                    input.name, called.name));
  }
}

}  // namespace tiphys::api
