// Steps and tasks whose names have tags, or whatever else in a steps or dag template names something and is no text of
// its own: what they come to is known once the inputs of the template's node are, and of an inline template the items
// and outputs that its step sees. The node then runs a copy of the template with these names, which a restart makes
// again of the same.
#include <fmt/format.h>

#include <algorithm>

#include "api/task_graph.h"
#include "engine/machine.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

/// Calls visit(text) for all that names something within a steps or dag template. Inline templates have their own time,
/// and the templateRef of a step does.
template <typename Values, typename Visit>
void visit_values(Values& values, const Visit& visit) {
  for (auto& parameter : values.parameters) visit(parameter.name);
  for (auto& artifact : values.artifacts) visit(artifact.name);
}

template <typename Hook, typename Visit>
void visit_hook(Hook& hook, const Visit& visit) {
  visit(hook.name);
  visit(hook.template_name);
  if (hook.template_ref) {
    visit(hook.template_ref->name);
    visit(hook.template_ref->template_name);
  }
  visit_values(hook.arguments, visit);
}

template <typename Step, typename Visit>
void visit_step(Step& step, const Visit& visit) {
  visit(step.name);
  visit(step.template_name);
  visit(step.depends);
  for (auto& dependency : step.dependencies) visit(dependency);
  visit_values(step.arguments, visit);
  if (step.exit) visit_hook(*step.exit, visit);
  for (auto& hook : step.hooks) visit_hook(hook, visit);
}

template <typename Template, typename Visit>
void visit_names(Template& source, const Visit& visit) {
  for (auto& group : source.steps) {
    for (auto& step : group) visit_step(step, visit);
  }
  if (source.dag) {
    for (auto& task : source.dag->tasks) visit_step(task, visit);
  }
  visit_values(source.outputs, visit);
}

/// What validation looks at where no name has tags. The original does not look again, and goes astray.
Status check_names(const CompiledTemplate& plan) {
  const std::string place = fmt::format("templates.{}.{}", plan.source->name, plan.dag() ? "tasks" : "steps");
  std::vector<std::vector<std::size_t>> waits(plan.tasks.size());
  for (std::size_t task = 0; task < plan.tasks.size(); ++task) {
    const api::Step& source = *plan.tasks[task].source;
    const auto wrong = [&](const std::string& what) {
      return fail(Code::kInvalidArgument, fmt::format("{}.{} {}", place, source.name, what));
    };
    if (source.name.empty()) return fail(Code::kInvalidArgument, fmt::format("{}[{}].name is required", place, task));
    if (plan.task_index.at(source.name) != task) return wrong("name is not unique");
    std::vector<std::string> names = source.dependencies;
    if (!source.depends.empty()) {
      const auto depends = expr::Depends::compile(source.depends);
      if (!depends) return wrong(depends.error().message);
      names = depends->tasks();
    }
    for (const std::string& name : names) {
      const auto found = plan.task_index.find(name);
      if (found == plan.task_index.end()) return wrong(fmt::format("dependency '{}' not defined", name));
      waits[task].push_back(found->second);
    }
  }
  if (api::TaskGraph(std::move(waits)).find_cycle().empty()) return {};
  return fail(Code::kInvalidArgument, place + " dependency cycle detected");
}

}  // namespace

bool has_tagged_names(const api::Template& source) {
  bool any = false;
  visit_names(source, [&](const std::string& name) { any = any || has_tag(std::string_view(name)); });
  return any;
}

bool same_names(const api::Template& one, const api::Template& other) {
  std::vector<std::string_view> names, others;
  visit_names(one, [&](const std::string& name) { names.emplace_back(name); });
  visit_names(other, [&](const std::string& name) { others.emplace_back(name); });
  return names == others;
}

/// Gives a steps or dag node, whose inputs are known, the copy of its template that it runs.
Status Machine::settle_names(NodeIndex index) {
  Node& node = nodes_[index];
  const CompiledTemplate* pattern = node.plan->pattern;
  if (!pattern) return {};
  api::Template copy = *pattern->source;
  const BodyVariables variables(*this, index);
  // As in the step that it is a part of.
  const Leftover leftover = pattern->inlined ? Leftover::kFailSiblings : Leftover::kKeep;
  Status filled;
  visit_names(copy, [&](std::string& name) {
    if (!filled || !has_tag(std::string_view(name))) return;
    auto text = render(std::string_view(name), globals(), variables, leftover);
    if (text) {
      name = std::move(*text);
    } else {
      filled = std::unexpected(text.error());
    }
  });
  TIPHYS_CHECK_OK(filled);
  node.plan = plans_.add_copy(*pattern, std::move(copy));
  return check_names(*node.plan);
}

}  // namespace tiphys::engine
