// The templates of a workflow, compiled once per run: texts with tags as programs, names as indices, dependencies as
// lists in both directions.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/workflow.h"
#include "engine/lock_table.h"
#include "engine/text.h"
#include "expr/depends.h"
#include "expr/expression.h"

namespace tiphys::engine {

struct CompiledTemplate;

/// An artifact of `arguments` or of the `outputs` of steps and dag.
struct ArtifactPlan {
  const api::Artifact* source = nullptr;
  Text from, from_expression, sub_path;
  /// The artifact as written when strings in it have tags ("key: runs/{{item}}").
  std::unique_ptr<const expr::DocumentTemplate> raw;
};

struct ArgumentsPlan {
  const api::Arguments* source = nullptr;
  std::vector<Text> parameters;  ///< values, by position in source->parameters; empty text where none is given
  std::vector<ArtifactPlan> artifacts;
};

/// withItems, withParam or withSequence.
struct LoopPlan {
  const doc::Array* items = nullptr;
  std::unique_ptr<const expr::DocumentTemplate> items_with_tags;
  Text param;
  bool sequence = false;
  Text count, start, end, format;
};

struct HookPlan {
  const api::LifecycleHook* source = nullptr;
  const CompiledTemplate* target = nullptr;  ///< null: there is no such template, or tags will tell
  ArgumentsPlan arguments;
  ExpressionText expression;

  /// Null: one of the same scope.
  const api::TemplateRef* template_ref() const { return source->template_ref ? &*source->template_ref : nullptr; }
};

/// A templateRef with tags.
struct RefPlan {
  Text name, template_name;
  bool cluster_scope = false;
};

/// A step or task.
struct CompiledStep {
  const api::Step* source = nullptr;
  const CompiledTemplate* target = nullptr;  ///< null: there is no such template, or `ref` will tell
  std::unique_ptr<const RefPlan> ref;        ///< null: what it runs is known
  Text when;
  ArgumentsPlan arguments;
  std::unique_ptr<const LoopPlan> loop;
  std::unique_ptr<const HookPlan> exit;
  std::vector<HookPlan> hooks;     ///< the others
  bool hooks_look_around = false;  ///< an expression of theirs names more than the step itself
  /// dag: set when `depends` is used; positions of its tasks in the template follow.
  std::unique_ptr<const expr::Depends> depends;
  std::vector<std::uint32_t> depends_tasks;
  bool wants_result = false;  ///< some text of the template asks for its outputs.result
};

struct RetryPlan {
  const api::RetryStrategy* source = nullptr;
  Text limit, duration, factor, cap, max_duration;
  ExpressionText expression;
};

/// What each input parameter is when no argument is given for it.
struct InputPlan {
  const api::Parameter* source = nullptr;
  Text default_text;  ///< value, else default
  bool has_default = false;
};

struct OutputPlan {
  const api::Parameter* source = nullptr;
  Text from;  ///< valueFrom.parameter
  Text default_text;
  ExpressionText expression;
};

/// A metric of the workflow or of a template.
struct MetricPlan {
  const api::Metric* source = nullptr;
  struct Label {
    Text key, value;
  };
  Text name, help, when, value;
  std::vector<Label> labels;  ///< as source->labels
};

/// A mutex or semaphore whose name may have tags.
struct LockPlan {
  LockName::Kind kind = LockName::Kind::kMutex;
  bool semaphore = false;
  Text ns, resource, key;
};
using LockPlans = std::vector<LockPlan>;

/// The tasks that a dag is to run.
struct DagTargets {
  std::vector<std::uint32_t> tasks;
  std::vector<bool> needed;  ///< by task: a target, or what one depends on

  bool needs(std::uint32_t task) const { return task < needed.size() && needed[task]; }
};

struct CompiledTemplate {
  const api::Template* source = nullptr;
  /// Where what it names is looked up: "" in the workflow, else in another object ("namespaced/NAME").
  std::string scope;
  bool pod = false;      ///< container, script or resource
  bool inlined = false;  ///< it stands in the step that runs it, and is a part of its texts
  /// steps, dag: names in it have tags, and what runs is a copy of it in which they are filled in. Of such a copy: the
  /// template that it is one of; of a template with such names: itself; else null.
  const CompiledTemplate* pattern = nullptr;

  std::vector<InputPlan> inputs;
  std::unordered_map<std::string_view, std::uint32_t> input_index;
  /// Nodes need their whole inputs kept: there are artifacts, or texts other than values that have tags.
  bool rich_inputs = false;

  // those that run pods, and actions
  Result<expr::DocumentTemplate> document;
  std::vector<std::string> references;

  // steps, dag
  std::vector<CompiledStep> tasks;         ///< of all groups, in order
  bool has_hooks = false;                  ///< other than exit handlers, of a task
  std::vector<std::uint32_t> group_begin;  ///< steps: where each group begins in `tasks`, and the end
  std::unordered_map<std::string_view, std::uint32_t> task_index;
  Text target;                                ///< dag
  std::shared_ptr<const DagTargets> targets;  ///< dag; null when `target` has tags, or names none
  std::vector<OutputPlan> outputs;
  std::vector<ArtifactPlan> output_artifacts;

  Text suspend_duration, active_deadline, timeout, pending_timeout, display_name;
  Text memo_key, memo_max_age, memo_config_map;
  std::unique_ptr<const RetryPlan> retry;
  std::vector<MetricPlan> metrics;
  bool metrics_want_result = false;        ///< some text of theirs asks for outputs.result
  std::unique_ptr<const LockPlans> locks;  ///< null: none

  bool steps() const { return source->type == api::Template::Type::kSteps; }
  bool dag() const { return source->type == api::Template::Type::kDag; }
  /// The outputs that its executor gives the values of; null for templates that give their outputs themselves.
  const api::Outputs* told_outputs() const {
    return pod || source->type == api::Template::Type::kResource ? &source->outputs : nullptr;
  }
  /// The task that the beginning of a dotted path names, and what is behind the dot.
  std::optional<std::pair<std::uint32_t, std::string_view>> find_task(std::string_view path) const;
  std::size_t group_count() const { return group_begin.size() - 1; }
  std::uint32_t group_of(std::uint32_t task) const;
  /// Whether the task begins only once `other` has ended.
  bool comes_after(std::uint32_t task, std::uint32_t other) const;
  std::span<const std::uint32_t> dependencies(std::uint32_t task) const {
    return {dependency_list.data() + dependency_begin[task], dependency_list.data() + dependency_begin[task + 1]};
  }
  std::span<const std::uint32_t> dependents(std::uint32_t task) const {
    return {dependent_list.data() + dependent_begin[task], dependent_list.data() + dependent_begin[task + 1]};
  }

  std::vector<std::uint32_t> dependency_begin, dependency_list, dependent_begin, dependent_list;

  CompiledTemplate() : document(expr::DocumentTemplate()) {}
};

/// All templates of a workflow, inline ones and those that it takes from other objects included. The workflow must
/// outlive it and stay where it is; what it stores may grow.
class CompiledWorkflow {
 public:
  explicit CompiledWorkflow(const api::Workflow& workflow);

  const CompiledTemplate* find(std::string_view name) const;
  /// Another object's template, which the workflow may have stored since; null when it has not.
  const CompiledTemplate* find(const api::TemplateRef& ref);
  /// One of this value that stays where it is.
  const api::TemplateRef* keep(const api::TemplateRef& ref);
  /// A copy of the template of `pattern` with other names.
  const CompiledTemplate* add_copy(const CompiledTemplate& pattern, api::Template copy);
  const HookPlan* exit() const { return exit_.get(); }
  const std::vector<HookPlan>& hooks() const { return hooks_; }
  /// What the whole workflow holds; null: nothing.
  const LockPlans* locks() const { return locks_.get(); }
  /// spec.arguments with its tags on workflow variables.
  const ArgumentsPlan& arguments() const { return arguments_; }
  const std::vector<MetricPlan>& metrics() const { return metrics_; }

 private:
  CompiledTemplate& add(const api::Template& source, std::string scope);
  /// What a step or hook of a template in `scope` names; null when there is no such template.
  const CompiledTemplate* named(const std::string& scope, std::string_view name,
                                const std::optional<api::TemplateRef>& ref);
  void compile(CompiledTemplate& compiled);
  void compile_from(std::size_t first);
  HookPlan compile_hook(const std::string& scope, const api::LifecycleHook& source, bool exit);

  const api::Workflow& workflow_;
  std::vector<std::unique_ptr<CompiledTemplate>> templates_;
  std::unordered_map<std::string_view, CompiledTemplate*> by_name_;
  std::unordered_map<const api::Template*, CompiledTemplate*> elsewhere_;  ///< inline ones, and other objects'
  std::unordered_map<std::string, api::TemplateRef> refs_;                 ///< by key
  std::vector<std::unique_ptr<const api::Template>> copies_;               ///< in which names are filled in
  ArgumentsPlan arguments_;
  std::unique_ptr<const HookPlan> exit_;
  std::vector<HookPlan> hooks_;
  std::vector<MetricPlan> metrics_;
  std::unique_ptr<const LockPlans> locks_;
};

/// tagged_names.cc: whether names of a steps or dag template, or in it, have tags.
bool has_tagged_names(const api::Template& source);
/// Whether two copies of such a template have the same names.
bool same_names(const api::Template& one, const api::Template& other);
/// locks.cc
std::unique_ptr<const LockPlans> compile_locks(const std::optional<api::Synchronization>& source);
ArgumentsPlan compile_arguments(const api::Arguments& source);
ArtifactPlan compile_artifact(const api::Artifact& source);
std::vector<MetricPlan> compile_metrics(const std::vector<api::Metric>& sources);
/// Fills the dependency lists and targets of a dag template.
void compile_dag(CompiledTemplate& compiled);
/// Of names with spaces between; without any, what nothing depends on.
Result<DagTargets> dag_targets(const CompiledTemplate& compiled, std::string_view names);
/// Marks the steps whose outputs.result some text of the template asks for.
void mark_wanted_results(CompiledTemplate& compiled);

}  // namespace tiphys::engine
