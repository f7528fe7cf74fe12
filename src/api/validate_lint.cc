// What the original lets through and then fails, hangs or surprises with. Only for those who ask (Validation::lint).
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>

#include "api/limits.h"
#include "api/task_graph.h"
#include "api/validator.h"
#include "base/strings.h"
#include "base/whole_number.h"
#include "expr/expression.h"
#include "expr/jq.h"

namespace tiphys::api {
namespace {

/// Names that only a run knows begin with other words.
bool checked_root(std::string_view name) {
  for (const char* root : {"inputs.", "steps.", "tasks.", "workflow."}) {
    if (name.starts_with(root)) return true;
  }
  return false;
}

bool below(std::string_view longer, std::string_view shorter) {
  return longer.size() > shorter.size() && longer.starts_with(shorter) && longer[shorter.size()] == '.';
}

/// What is below these is known by name.
bool lists_names(std::string_view name) {
  return name.ends_with(".parameters") || name.ends_with(".labels") || name.ends_with(".annotations");
}

/// An object that holds known names, or a member of a known value.
bool around_known(std::string_view name, const std::vector<std::string>& known) {
  return std::ranges::any_of(
      known, [&](std::string_view each) { return below(each, name) || (below(name, each) && !lists_names(each)); });
}

std::vector<std::string> names_of(const std::vector<Parameter>& parameters) {
  std::vector<std::string> names;
  for (const Parameter& each : parameters) names.push_back(each.name);
  return names;
}

std::vector<std::string> names_of(const std::vector<Artifact>& artifacts) {
  std::vector<std::string> names;
  for (const Artifact& each : artifacts) names.push_back(each.name);
  return names;
}

/// Which templates of a workflow call which.
class Calls {
 public:
  explicit Calls(const WorkflowSpec& spec) : spec_(spec) {
    for (const auto& tmpl : spec.templates) by_name_.emplace(tmpl->name, tmpl.get());
  }

  /// From the entrypoint and the workflow's hooks on. False when a tag may name anything, or a name is of nothing.
  bool follow() {
    call(spec_.entrypoint, std::nullopt);
    if (spec_.exit) call(spec_.exit->template_name, spec_.exit->template_ref);
    for (const LifecycleHook& hook : spec_.hooks) call(hook.template_name, hook.template_ref);
    while (known_ && !next_.empty()) {
      const Template& tmpl = *next_.back();
      next_.pop_back();
      for (const StepGroup& group : tmpl.steps) {
        for (const Step& step : group) call(step);
      }
      if (!tmpl.dag) continue;
      for (const Step& task : tmpl.dag->tasks) call(task);
    }
    return known_;
  }
  /// By its name: that of two templates is told elsewhere.
  bool reaches(const Template& tmpl) const { return reached_.contains(by_name_.at(tmpl.name)); }

 private:
  void call(const Step& step) {
    if (step.inline_template) {
      visit(step.inline_template.get());
    } else {
      call(step.template_name, step.template_ref);
    }
    if (step.exit) call(step.exit->template_name, step.exit->template_ref);
    for (const LifecycleHook& hook : step.hooks) call(hook.template_name, hook.template_ref);
  }
  void call(const std::string& name, const std::optional<TemplateRef>& ref) {
    if (ref || name.empty()) return;
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      known_ = false;
    } else {
      visit(found->second);
    }
  }
  void visit(const Template* tmpl) {
    if (reached_.insert(tmpl).second) next_.push_back(tmpl);
  }

  const WorkflowSpec& spec_;
  std::unordered_map<std::string_view, const Template*> by_name_;
  std::unordered_set<const Template*> reached_;
  std::vector<const Template*> next_;
  bool known_ = true;
};

/// The templates that a template runs whatever happens before them succeeds.
class SureCalls {
 public:
  explicit SureCalls(const WorkflowSpec& spec) {
    for (std::size_t i = 0; i < spec.templates.size(); ++i) positions_.emplace(spec.templates[i]->name, i);
    for (const auto& tmpl : spec.templates) add(*tmpl, calls_.emplace_back());
  }
  std::vector<std::size_t> find_cycle() const { return TaskGraph(calls_).find_cycle(); }

 private:
  void add(const Template& tmpl, std::vector<std::size_t>& calls) {
    for (const StepGroup& group : tmpl.steps) {
      for (const Step& step : group) add(step, calls);
    }
    if (!tmpl.dag || !tmpl.dag->target.empty()) return;
    for (const Step& task : tmpl.dag->tasks) add(task, calls);
  }
  void add(const Step& step, std::vector<std::size_t>& calls) {
    // A condition, a list that may be empty, or what follows a failure alone.
    if (!step.when.empty() || step.loops() || step.depends.find_first_of(".!|") != std::string::npos) return;
    if (step.inline_template) return add(*step.inline_template, calls);
    const auto found = positions_.find(step.template_name);
    if (!step.template_ref && found != positions_.end()) calls.push_back(found->second);
  }

  std::unordered_map<std::string_view, std::size_t> positions_;
  std::vector<std::vector<std::size_t>> calls_;
};

}  // namespace

void Validator::lint_warn(const std::string& pointer, std::string message) {
  // Of templates that stand elsewhere, their own file is warned.
  if (validation_.lint && scope_.empty() && !workflow_.joined) warn(pointer, std::move(message));
}

void Validator::lint_step(const Step& step, const Spot& spot) {
  if (!validation_.lint) return;
  if (!step.with_param.empty() && !has_tag(step.with_param)) {
    const auto list = doc::parse_json(step.with_param);
    if (!list || !list->is_array()) error(spot.pointer + "/withParam", spot.name + ".withParam must be a JSON list");
  }
  if (const Template* called = target(step)) lint_arguments(*called, step.arguments, spot);
}

void Validator::lint_arguments(const Template& called, const Arguments& arguments, const Spot& spot) {
  const auto undeclared = [&](std::string_view kind, std::size_t i, std::string_view name,
                              const std::vector<std::string>& declared) {
    if (has_tag(name) || std::ranges::find(declared, name) != declared.end()) return false;
    lint_warn(fmt::format("{}/arguments/{}s/{}", spot.pointer, kind, i),
              fmt::format("{}: template \"{}\" has no input {} \"{}\"{}", spot.name, called.name, kind, name,
                          did_you_mean(name, declared)));
    return true;
  };
  for (std::size_t i = 0; i < arguments.parameters.size(); ++i) {
    const Parameter& given = arguments.parameters[i];
    if (undeclared("parameter", i, given.name, names_of(called.inputs.parameters))) continue;
    const auto input = std::ranges::find(called.inputs.parameters, given.name, &Parameter::name);
    if (input == called.inputs.parameters.end() || !given.value || has_tag(*given.value)) continue;
    const std::vector<std::string>& choices = input->enum_values;
    if (choices.empty() || std::ranges::find(choices, *given.value) != choices.end()) continue;
    lint_warn(fmt::format("{}/arguments/parameters/{}/value", spot.pointer, i),
              fmt::format("{}: \"{}\" is none of those that template \"{}\" names for {}: {}", spot.name, *given.value,
                          called.name, given.name, join(choices, ", ")));
  }
  for (std::size_t i = 0; i < arguments.artifacts.size(); ++i) {
    undeclared("artifact", i, arguments.artifacts[i].name, names_of(called.inputs.artifacts));
  }
}

/// A run waits for ever, or fails, when a task takes something of one that it does not wait for.
void Validator::lint_order(std::string_view task, const doc::Value& document, const Spot& spot,
                           const std::function<bool(std::string_view)>& late) {
  if (!validation_.lint) return;
  for_each_text(document, spot.pointer, "inline", [&](std::string_view text, const std::string& pointer) {
    // The original looks at the beginning of arguments, and so does check_order.
    const bool seen = text.starts_with("{{tasks.") && pointer.starts_with(spot.pointer + "/arguments");
    for_each_tag(seen ? text.substr(2) : text, [&](std::string_view name) {
      if (!name.starts_with("tasks.") || name.ends_with(".status")) return;
      const std::string_view other = name.substr(6, name.find('.', 6) - 6);
      if (other == task || !late(other)) return;
      error(pointer, fmt::format("{}: {{{{{}}}}} needs a dependency on '{}'", spot.name, name, other));
    });
  });
}

void Validator::lint_target(const Template& tmpl, const Spot& spot, const TaskPositions& position,
                            const TaskGraph& graph) {
  const std::string& target = tmpl.dag->target;
  if (!validation_.lint || target.empty() || has_tag(target)) return;
  std::vector<std::size_t> wanted;
  for (const std::string_view name : split(target, ' ')) {
    const auto found = position.find(name);
    if (found == position.end()) return;  // told elsewhere
    wanted.push_back(found->second);
  }
  const std::vector<bool> needed = graph.needed_for(std::move(wanted));
  for (std::size_t i = 0; i < tmpl.dag->tasks.size(); ++i) {
    if (needed[i]) continue;
    lint_warn(fmt::format("{}/dag/tasks/{}/name", spot.pointer, i),
              fmt::format("{}.tasks.{} never runs: target \"{}\" does not need it", spot.name, tmpl.dag->tasks[i].name,
                          target));
  }
}

void Validator::lint_expressions(std::string_view text, const std::string& pointer, const Spot& spot,
                                 const Variables& scope) {
  if (!validation_.lint) return;
  for (auto at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at + 2)) {
    const auto end = text.find("}}", at);
    if (end == std::string_view::npos) return;
    const std::string_view body = trim(text.substr(at + 2, end - at - 2));
    if (!body.starts_with('=')) continue;
    const auto expression = expr::Expression::compile(body.substr(1));
    if (!expression) continue;
    const std::vector<std::string>& required = expression->required();
    for (const std::string& name : required) {
      // The longest paths tell all; objects on the way to them are not names of their own.
      const bool leads_on = std::ranges::any_of(required, [&](const std::string& each) { return below(each, name); });
      if (leads_on || !checked_root(name) || scope.knows(name) || around_known(name, scope.all())) continue;
      lint_warn(pointer, fmt::format("{}: the expression reads {}, which is not known here{}", spot.name, name,
                                     suggestion(name, scope)));
    }
  }
}

/// An item where no loop is around.
void Validator::lint_item(std::string_view name, const std::string& pointer, const Spot& spot, const Variables& scope) {
  if (!validation_.lint ||
      std::ranges::any_of(scope.all(), [](const auto& each) { return each.starts_with("item"); })) {
    return;
  }
  lint_warn(pointer,
            fmt::format("{}: {{{{{}}}}} stays as it is: only a step or task with a loop knows it, which gives it "
                        "on as an argument",
                        spot.name, name));
}

/// What is known of the attempts before where there are none.
void Validator::lint_retries(std::string_view name, const std::string& pointer, const Spot& spot,
                             const Variables& scope) {
  // Metrics know the attempts of every node.
  if (scope.knows(name) || pointer.find("/metrics/") != std::string::npos) return;
  lint_warn(pointer, fmt::format("{}: {{{{{}}}}} stays as it is: only a template with a retryStrategy knows it",
                                 spot.name, name));
}

/// A constant that says neither yes nor no.
void Validator::lint_verdict(const std::string& expression, const Spot& spot) {
  if (!validation_.lint || expression.empty() || has_tag(expression)) return;
  const auto compiled = expr::Expression::compile(expression);
  if (!compiled || !compiled->references().empty()) return;
  const auto verdict = compiled->eval_bool(expr::Scope());
  if (!verdict) lint_error(spot.pointer, fmt::format("{}: {}", spot.name, verdict.error().message));
}

void Validator::lint_filter(const std::string& filter, const Spot& spot) {
  if (!validation_.lint || filter.empty() || has_tag(filter)) return;
  const auto known = expr::check_jq(filter);
  if (!known) lint_error(spot.pointer, fmt::format("{}: {}", spot.name, known.error().message));
}

void Validator::lint_sequence(const Sequence& sequence, const Spot& spot) {
  const auto count = whole_number(sequence.count), end = whole_number(sequence.end);
  const auto first = sequence.start.empty() ? 0 : whole_number(sequence.start);
  if (count && *count < 0 && first) {
    lint_warn(spot.pointer + "/count", fmt::format("{}.withSequence.count {} counts down, from {} to {}", spot.name,
                                                   *count, *first, *first + *count - 1));
  } else if ((count && *count > kLongestLoop) || (first && end && std::abs(*end - *first) >= kLongestLoop)) {
    lint_error(spot.pointer, fmt::format("{}.withSequence has more than {} items", spot.name, kLongestLoop));
  }
}

/// What calls itself without a condition ends at the greatest depth, if nothing fails before.
void Validator::lint_recursion() {
  if (!validation_.lint || workflow_.joined) return;
  const std::vector<std::size_t> cycle = SureCalls(workflow_.spec).find_cycle();
  if (cycle.empty()) return;
  std::vector<std::string> names;
  for (const std::size_t tmpl : cycle) names.push_back(workflow_.spec.templates[tmpl]->name);
  lint_warn(
      fmt::format("/spec/templates/{}/name", cycle[0]),
      fmt::format("templates call each other without end: {}: give one of the steps a \"when\"", join(names, "->")));
}

/// What the original's definitions of its kinds, as an API server keeps to them, take no more of.
void Validator::lint_sizes() {
  constexpr std::size_t kTemplates = 200, kTasks = 200, kParameters = 500, kMetrics = 100;
  const auto check = [&](std::size_t count, std::size_t most, const std::string& pointer, std::string_view what) {
    if (count <= most) return;
    lint_warn(pointer,
              fmt::format("{} {}: a cluster with the original's definitions takes {} at most", count, what, most));
  };
  const WorkflowSpec& spec = workflow_.spec;
  check(spec.templates.size(), kTemplates, "/spec/templates", "templates");
  check(spec.arguments.parameters.size(), kParameters, "/spec/arguments/parameters", "parameters");
  for (std::size_t i = 0; i < spec.templates.size(); ++i) {
    const Template& tmpl = *spec.templates[i];
    const std::string pointer = fmt::format("/spec/templates/{}", i);
    if (tmpl.dag) check(tmpl.dag->tasks.size(), kTasks, pointer + "/dag/tasks", "tasks of a dag");
    check(tmpl.inputs.parameters.size(), kParameters, pointer + "/inputs/parameters", "parameters");
    check(tmpl.metrics.size(), kMetrics, pointer + "/metrics/prometheus", "metrics");
  }
}

void Validator::lint_account(const doc::Value& holder, const Spot& spot) {
  const doc::Value* mount = doc::find(holder, "automountServiceAccountToken");
  if (!mount || *mount != doc::Value(false)) return;
  for (const doc::Value* each : {&holder, &*workflow_.spec.document}) {
    if (!doc::find_string(*each, "executor", "serviceAccountName").empty()) return;
  }
  lint_warn(spot.pointer + "/automountServiceAccountToken",
            spot.name + ".automountServiceAccountToken: in a cluster executor.serviceAccountName is needed beside it");
}

/// Templates of a workflow that nothing runs.
void Validator::lint_unreachable() {
  if (!validation_.lint || workflow_.is_template() || workflow_.joined) return;
  Calls calls(workflow_.spec);
  if (!calls.follow()) return;
  for (std::size_t i = 0; i < workflow_.spec.templates.size(); ++i) {
    const Template& tmpl = *workflow_.spec.templates[i];
    if (calls.reaches(tmpl)) continue;
    lint_warn(fmt::format("/spec/templates/{}/name", i),
              fmt::format("template \"{}\" is never run: nothing refers to it", tmpl.name));
  }
}

}  // namespace tiphys::api
