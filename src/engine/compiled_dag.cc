#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "engine/compiled_template.h"

namespace tiphys::engine {
namespace {

/// Rows of numbers laid end to end: where each begins, and all of them.
void lay_out(const std::vector<std::vector<std::uint32_t>>& rows, std::vector<std::uint32_t>& begin,
             std::vector<std::uint32_t>& list) {
  begin.reserve(rows.size() + 1);
  for (const auto& row : rows) {
    begin.push_back(static_cast<std::uint32_t>(list.size()));
    list.insert(list.end(), row.begin(), row.end());
  }
  begin.push_back(static_cast<std::uint32_t>(list.size()));
}

/// What a text that is no tag by itself asks of siblings' results: every `steps.NAME.outputs.result` and
/// `steps['NAME'].outputs.result` in it.
class ResultReferences {
 public:
  ResultReferences(CompiledTemplate& compiled) : compiled_(compiled), root_(compiled.dag() ? "tasks" : "steps") {}

  void read(std::string_view text) {
    constexpr std::string_view kField = ".outputs.result";
    for (std::size_t at = text.find(kField); at != std::string_view::npos; at = text.find(kField, at + 1)) {
      mark(text.substr(0, at));
    }
  }
  void read(const doc::Value& value) {
    if (const auto* text = value.if_string()) {
      read(std::string_view(*text));
    } else if (const auto* array = value.if_array()) {
      for (const auto& element : *array) read(element);
    } else if (const auto* object = value.if_object()) {
      for (const auto& [key, member] : *object) read(member);
    }
  }
  void read(const api::Arguments& arguments) {
    for (const auto& parameter : arguments.parameters) {
      if (parameter.value) read(std::string_view(*parameter.value));
      if (parameter.value_from) {
        read(std::string_view(parameter.value_from->parameter));
        read(std::string_view(parameter.value_from->expression));
        if (const auto& source = parameter.value_from->config_map) {
          read(std::string_view(source->name));
          read(std::string_view(source->key));
        }
      }
    }
    for (const auto& artifact : arguments.artifacts) {
      read(std::string_view(artifact.from));
      read(std::string_view(artifact.from_expression));
      for (const auto& [key, member] : artifact.raw) read(member);
    }
  }

 private:
  /// `before` ends where ".outputs.result" begins.
  void mark(std::string_view before) {
    // A tag within the tag names it; or tags have made a name that has other signs.
    if (const bool any = before.ends_with("}}"); any || compiled_.pattern) {
      for (CompiledStep& step : compiled_.tasks) step.wants_result |= any || names(before, step.source->name);
    }
    std::size_t end = before.size();
    const bool quoted = before.ends_with("']") || before.ends_with("\"]");
    if (quoted) end -= 2;
    std::size_t begin = end;
    const auto in_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; };
    while (begin > 0 && in_name(before[begin - 1])) --begin;
    const std::string_view name = before.substr(begin, end - begin);
    std::string_view rest = before.substr(0, begin);
    const bool joined = quoted ? rest.ends_with("['") || rest.ends_with("[\"") : rest.ends_with('.');
    if (!joined) return;
    rest.remove_suffix(quoted ? 2 : 1);
    if (!rest.ends_with(root_)) return;
    if (const auto found = compiled_.task_index.find(name); found != compiled_.task_index.end()) {
      compiled_.tasks[found->second].wants_result = true;
    }
  }

  bool names(std::string_view before, std::string_view name) const {
    for (const auto& [open, close] : {std::pair(".", ""), {"['", "']"}, {"[\"", "\"]"}}) {
      if (before.ends_with(fmt::format("{}{}{}{}", root_, open, name, close))) return true;
    }
    return false;
  }

  CompiledTemplate& compiled_;
  std::string_view root_;
};

}  // namespace

Result<DagTargets> dag_targets(const CompiledTemplate& compiled, std::string_view names) {
  DagTargets targets;
  if (names.empty()) {
    for (std::uint32_t task = 0; task < compiled.tasks.size(); ++task) {
      if (compiled.dependents(task).empty()) targets.tasks.push_back(task);
    }
    std::ranges::sort(targets.tasks, {},
                      [&](std::uint32_t task) -> const std::string& { return compiled.tasks[task].source->name; });
    targets.needed.assign(compiled.tasks.size(), true);
    return targets;
  }
  for (const std::string_view name : split(names, ' ')) {
    if (name.empty()) continue;
    const auto found = compiled.task_index.find(name);
    if (found == compiled.task_index.end()) {
      return fail(Code::kInvalidArgument, fmt::format("target {} does not exist", name));
    }
    targets.tasks.push_back(found->second);
  }
  targets.needed.assign(compiled.tasks.size(), false);
  std::vector<std::uint32_t> open = targets.tasks;
  while (!open.empty()) {
    const std::uint32_t task = open.back();
    open.pop_back();
    if (targets.needed[task]) continue;
    targets.needed[task] = true;
    const auto dependencies = compiled.dependencies(task);
    open.insert(open.end(), dependencies.begin(), dependencies.end());
  }
  return targets;
}

void compile_dag(CompiledTemplate& compiled) {
  std::vector<std::vector<std::uint32_t>> dependencies(compiled.tasks.size()), dependents(compiled.tasks.size());
  for (std::uint32_t task = 0; task < compiled.tasks.size(); ++task) {
    CompiledStep& step = compiled.tasks[task];
    std::vector<std::string> names = step.source->dependencies;
    if (!step.source->depends.empty()) {
      auto depends = expr::Depends::compile(step.source->depends);
      if (depends) {
        names = depends->tasks();
        step.depends = std::make_unique<const expr::Depends>(std::move(*depends));
      }
    }
    for (const std::string& name : names) {
      const auto found = compiled.task_index.find(name);
      if (found == compiled.task_index.end()) continue;
      if (step.depends) step.depends_tasks.push_back(found->second);
      if (std::ranges::find(dependencies[task], found->second) != dependencies[task].end()) continue;
      dependencies[task].push_back(found->second);
      dependents[found->second].push_back(task);
    }
  }
  lay_out(dependencies, compiled.dependency_begin, compiled.dependency_list);
  lay_out(dependents, compiled.dependent_begin, compiled.dependent_list);

  const std::string& target = compiled.source->dag->target;
  compiled.target = Text(target);
  if (!compiled.target.constant()) return;
  if (auto targets = dag_targets(compiled, target)) {
    compiled.targets = std::make_shared<const DagTargets>(std::move(*targets));
  }
}

void mark_wanted_results(CompiledTemplate& compiled) {
  ResultReferences references(compiled);
  for (const CompiledStep& step : compiled.tasks) {
    const api::Step& source = *step.source;
    references.read(source.arguments);
    references.read(std::string_view(source.when));
    references.read(std::string_view(source.with_param));
    if (source.template_ref) {
      references.read(std::string_view(source.template_ref->name));
      references.read(std::string_view(source.template_ref->template_name));
    }
    if (source.with_items) references.read(doc::Value(*source.with_items));
    if (source.with_sequence) {
      for (const auto* text : {&source.with_sequence->count, &source.with_sequence->start, &source.with_sequence->end,
                               &source.with_sequence->format}) {
        references.read(std::string_view(*text));
      }
    }
    if (source.exit) references.read(source.exit->arguments);
    for (const api::LifecycleHook& hook : source.hooks) {
      references.read(hook.arguments);
      references.read(std::string_view(hook.expression));
    }
    if (source.inline_template && source.inline_template->document) references.read(*source.inline_template->document);
  }
  const api::Outputs& outputs = compiled.source->outputs;
  references.read(api::Arguments{outputs.parameters, outputs.artifacts});
}

}  // namespace tiphys::engine
