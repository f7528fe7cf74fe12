#include <fmt/format.h>

#include <algorithm>

#include "api/task_graph.h"
#include "api/validator.h"
#include "base/strings.h"
#include "expr/depends.h"

namespace tiphys::api {
namespace {

/// The task that "{{tasks.NAME. ..." at the start of an argument names; "" when there is none.
std::string_view referenced_task(std::string_view text) {
  constexpr std::string_view kStart = "{{tasks.";
  if (!text.starts_with(kStart)) return {};
  text.remove_prefix(kStart.size());
  return text.substr(0, text.find_first_of(".}"));
}

std::vector<std::string> names_of(const std::vector<Step>& tasks) {
  std::vector<std::string> names;
  for (const Step& task : tasks) names.push_back(task.name);
  return names;
}

/// Whether it depends on tags that a task has this name: on those of the task's own, or on those of this one.
bool may_be_named(const std::vector<Step>& tasks, std::string_view name) {
  return std::ranges::any_of(tasks, [&](const Step& task) {
    if (!has_tag(task.name)) return has_tag(name) && may_become(name, task.name);
    return has_tag(name) || may_become(task.name, name);
  });
}

std::string spell(const std::vector<std::size_t>& cycle, const std::vector<Step>& tasks) {
  std::vector<std::string> names;
  for (const std::size_t task : cycle) names.push_back(tasks[task].name);
  return join(names, "->");
}

}  // namespace

void Validator::check_dag(const Template& tmpl, const Spot& spot, Variables& scope, NodeOutputs& all) {
  const std::vector<Step>& tasks = tmpl.dag->tasks;
  if (tasks.empty()) error(spot.pointer + "/dag", spot.name + " must have at least one task", true);
  std::set<std::string, std::less<>> seen;
  TaskPositions position;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    check_name(tasks[i].name, NameKind::kTask,
               {fmt::format("{}/dag/tasks/{}/name", spot.pointer, i), fmt::format("{}.tasks[{}]", spot.name, i)}, seen);
    position.emplace(tasks[i].name, i);
    all.add(tasks[i], target(tasks[i]));
  }
  scope.add_nodes(all);

  const TaskGraph graph(check_dependencies(tmpl, spot, position));
  if (const auto cycle = graph.find_cycle(); !cycle.empty()) {
    error(fmt::format("{}/dag/tasks/{}", spot.pointer, cycle[0]),
          fmt::format("{}.tasks dependency cycle detected: {}", spot.name, spell(cycle, tasks)));
    return;
  }
  if (const doc::Value* text = doc::find(*tmpl.document, "dag", "target")) {
    check_texts(*text, {spot.pointer + "/dag/target", spot.name + ".targets"}, {}, scope);
  }
  lint_target(tmpl, spot, position, graph);
  for (const std::string_view name : split(tmpl.dag->target, ' ')) {
    if (name.empty() || has_tag(tmpl.dag->target) || position.contains(name) || may_be_named(tasks, name)) continue;
    error(spot.pointer + "/dag/target", fmt::format("{}.targets: target '{}' is not defined{}", spot.name, name,
                                                    did_you_mean(name, names_of(tasks))));
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const doc::Value& document = doc::find(*tmpl.document, "dag", "tasks")->get_array()[i];
    const Spot at{fmt::format("{}/dag/tasks/{}", spot.pointer, i),
                  fmt::format("{}.tasks.{}", spot.name, tasks[i].name)};
    check_step(tasks[i], document, at, scope, "tasks.");
    check_order(tasks[i], document, at, position, [&](std::size_t other) { return graph.comes_after(i, other); });
  }
}

std::vector<std::vector<std::size_t>> Validator::check_dependencies(const Template& tmpl, const Spot& spot,
                                                                    const TaskPositions& position) {
  const std::vector<Step>& tasks = tmpl.dag->tasks;
  const bool uses_depends = std::ranges::any_of(tasks, [](const Step& task) { return !task.depends.empty(); });
  std::vector<std::vector<std::size_t>> waits(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    for (const std::string& name : check_waiting(tmpl, i, spot, position, uses_depends)) {
      if (const auto found = position.find(name); found != position.end()) waits[i].push_back(found->second);
    }
  }
  return waits;
}

std::vector<std::string> Validator::check_waiting(const Template& tmpl, std::size_t index, const Spot& spot,
                                                  const TaskPositions& position, bool uses_depends) {
  const Step& task = tmpl.dag->tasks[index];
  const Spot at{fmt::format("{}/dag/tasks/{}", spot.pointer, index), fmt::format("{}.tasks.{}", spot.name, task.name)};
  const bool waits = uses_depends || !task.dependencies.empty();
  if (waits && !task.name.empty() && task.name[0] >= '0' && task.name[0] <= '9') {
    error(at.pointer + "/name",
          at.name + " name cannot begin with a digit when using either 'depends' or 'dependencies'");
  }
  if (uses_depends && !task.dependencies.empty()) {
    error(at.pointer + "/dependencies",
          spot.name + " cannot use both 'depends' and 'dependencies' in the same DAG template", true);
  }
  if (uses_depends && doc::find(doc::find(*tmpl.document, "dag", "tasks")->get_array()[index], "continueOn")) {
    error(at.pointer + "/continueOn",
          spot.name + " cannot use 'continueOn' when using 'depends'. Instead use 'dep-task.Failed'/'dep-task.Errored'",
          true);
  }
  std::vector<std::string> names = task.dependencies;
  std::vector<bool> asks_loop(names.size());
  if (!task.depends.empty()) {
    const auto depends = expr::Depends::compile(replace_tags(task.depends, "x"));
    if (!depends) {
      error(at.pointer + "/depends", fmt::format("{}: {}", at.name, depends.error().message));
      return {};
    }
    names = depends->tasks();
    asks_loop.clear();
    for (std::size_t k = 0; k < names.size(); ++k) asks_loop.push_back(depends->uses_loop_result(k));
  }
  for (std::size_t k = 0; k < names.size(); ++k) {
    const std::string pointer =
        task.depends.empty() ? fmt::format("{}/dependencies/{}", at.pointer, k) : at.pointer + "/depends";
    const auto found = position.find(names[k]);
    if (found == position.end() && (has_tag(task.depends) || may_be_named(tmpl.dag->tasks, names[k]))) continue;
    if (found == position.end()) {
      error(pointer, fmt::format("{} dependency '{}' not defined{}", at.name, names[k],
                                 did_you_mean(names[k], names_of(tmpl.dag->tasks))));
    } else if (asks_loop[k] && !tmpl.dag->tasks[found->second].loops()) {
      error(pointer, fmt::format("{} dependency '{}' uses an items-based condition such as .AnySucceeded or .AllFailed "
                                 "but does not contain any items",
                                 at.name, names[k]));
    }
  }
  return names;
}

void Validator::check_order(const Step& task, const doc::Value& document, const Spot& spot,
                            const TaskPositions& position, const std::function<bool(std::size_t)>& before) {
  const auto late = [&](std::string_view other) {
    const auto found = position.find(other);
    return other != task.name && found != position.end() && !before(found->second);
  };
  const auto check = [&](std::string_view text, std::string_view kind, const std::string& name) {
    const std::string_view other = referenced_task(text);
    if (other.empty() || !late(other)) return;
    error(spot.pointer + "/arguments",
          fmt::format("{} missing dependency '{}' for {} '{}'", spot.name, other, kind, name));
  };
  for (const Parameter& each : task.arguments.parameters) {
    if (each.value) check(*each.value, "parameter", each.name);
  }
  for (const Artifact& each : task.arguments.artifacts) check(each.from, "artifact", each.name);

  lint_order(task.name, document, spot, late);
  // A status is known only of tasks that are waited for.
  for_each_text(document, spot.pointer, "inline", [&](std::string_view text, const std::string& pointer) {
    for_each_tag(text, [&](std::string_view name) {
      if (!name.starts_with("tasks.") || !name.ends_with(".status")) return;
      const std::string_view other = name.substr(6, name.size() - 6 - 7);
      if (!late(other)) return;
      error(pointer, fmt::format("{}: failed to resolve {{{{{}}}}}: missing dependency '{}'", spot.name, name, other));
    });
  });
}

}  // namespace tiphys::api
