// The rules of validate_workflow, each group in a file of its own.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/parse.h"
#include "api/variables.h"
#include "schema/field_error.h"

namespace tiphys::api {

class TaskGraph;

/// Where a template, step or task is: its JSON pointer, and how messages name it ("templates.main.steps[0].a").
struct Spot {
  std::string pointer;
  std::string name;
  Spot at(std::string_view below) const { return {pointer + std::string(below), name}; }
};

/// What Kubernetes asks of metadata.name and metadata.generateName.
void check_object_name(const std::string& name, const std::string& generate_name, std::vector<Finding>& findings);

/// That labels and annotations of an object's metadata are such as an API server takes.
void check_labels(const doc::Value& metadata, const Spot& spot, std::vector<Finding>& findings);

/// Names of containers that are the original's own.
bool reserved_container(std::string_view name);

class Validator {
 public:
  Validator(const Workflow& workflow, std::vector<Finding>& findings, Validation validation)
      : workflow_(workflow), findings_(findings), validation_(validation) {}
  void run();
  void run_found(const TemplateRef& ref);

 private:
  using TaskPositions = std::unordered_map<std::string_view, std::size_t>;

  void error(const std::string& pointer, std::string message, bool at_key = false);
  void warn(const std::string& pointer, std::string message);

  // validate.cc: the workflow
  void check_metadata();
  void collect_globals();
  void add_workflow_metadata();
  void check_entrypoint();
  void check_hooks();
  void check_limits();
  void check_template_names();
  void check_templates();
  void check_foreign();

  // validate_template.cc
  void check_template(const Template& tmpl, const Spot& spot, const Variables& outer);
  bool check_type(const Template& tmpl, const Spot& spot);
  void check_inputs(const Template& tmpl, const Spot& spot, Variables& scope);
  void check_limits(const Template& tmpl, const Spot& spot);
  void check_display_name(const Template& tmpl, const Spot& spot);
  void lint_input(const Parameter& parameter, const Spot& spot);
  void lint_bare_name(const std::string& text, const Spot& spot, const Variables& scope);
  void check_artifact_path(const Artifact& artifact, const Spot& spot);
  void check_timeout(const Template& tmpl, const std::string& text, std::string_view field, const Spot& spot);
  void check_retry(const RetryStrategy& retry, const Spot& spot);
  void check_memoize(const Memoize& memoize, const Spot& spot);
  void check_outputs(const Template& tmpl, const Spot& spot, const Variables& scope);
  void check_output_source(const Template& tmpl, const Parameter& parameter, const Spot& spot);

  // validate_location.cc
  /// The place of an artifact, or archiveLocation.
  void check_location(const doc::Object& holder, const Spot& spot);
  void check_hdfs(const doc::Value& place, const Spot& spot);

  // validate_metrics.cc
  void check_metrics(const std::vector<Metric>& metrics, const Spot& spot, bool of_workflow, const Variables& scope);
  void check_metric(const Metric& metric, const Spot& spot, bool of_workflow);
  void check_gauge(const Metric::Gauge& gauge, const Spot& spot);
  void lint_metric(const Metric& metric, const Spot& spot, bool of_workflow, const Variables& scope);
  void lint_same_metric(const Metric& metric, const Spot& spot);
  void lint_metric_value(const std::string& value, const Spot& spot);
  void lint_metric_text(const std::string& text, const Spot& spot, const Variables& scope);
  void lint_error(const std::string& pointer, std::string message);

  // validate_leaf.cc
  void check_leaf(const Template& tmpl, const Spot& spot, const Variables& scope);
  std::vector<std::string> volume_names(const Template& tmpl) const;
  void check_further_containers(const Template& tmpl, const Spot& spot);
  void check_further_container(const doc::Value& container, std::string_view list, const Spot& spot,
                               std::set<std::string, std::less<>>& names);
  void check_mounts(const Template& tmpl, const doc::Value& container, const Spot& spot);
  // validate_env.cc
  void check_env(const Template& tmpl, const doc::Value& container, const Spot& spot);
  void check_file_key(const Template& tmpl, const doc::Value& reference, const Spot& spot);
  void check_http(const doc::Value& http, const Spot& spot);
  void check_data(const doc::Value& data, const Spot& spot);
  /// A text that expr-lang's own functions are to make something of, from these variables.
  void check_plain_expression(const std::string& text, std::span<const std::string_view> variables, const Spot& spot);
  void check_resource(const Template& tmpl, const Spot& spot);
  void check_condition(const std::string& text, const Spot& spot, std::string_view field);
  void lint_named(const ResourceAction& resource, const doc::Value* from, const Spot& spot);
  void lint_manifest(const std::vector<doc::Document>& documents, const Template& tmpl, const Spot& spot);
  /// podResources: of the spec or a template.
  void check_pod_resources(const doc::Value& holder, const Spot& spot);

  // validate_pod.cc: what Kubernetes would refuse
  /// Of the spec or a template: volumes, placement, labels of pods, which `metadata` holds.
  void check_pods(const doc::Value& holder, std::string_view metadata, const Spot& spot);
  void check_volumes(const doc::Value& holder, const Spot& spot);
  void check_container(const Template& tmpl, const doc::Value& container, const Spot& spot, bool init = false);
  void check_container_name(std::string_view name, const Spot& spot);
  // validate_patch.cc
  /// podSpecPatch: of the spec or a template.
  void check_patch(const doc::Value& holder, const Spot& spot);
  doc::Value pod_volumes(const Template& tmpl) const;
  /// Those of a document that stands at `spot` and whose paths begin with its name, but for what was told already and
  /// what a tag may make right.
  void add_errors(const schema::FieldErrors& errors, const doc::Value& document, const Spot& spot);

  // validate_container_set.cc
  void check_container_set(const Template& tmpl, const Spot& spot);
  void check_container_order(const std::vector<ContainerSet::Container>& containers, const Spot& spot);

  // validate_synchronization.cc
  void check_synchronization(const Synchronization& locks, const Spot& spot);
  void check_semaphore(const SemaphoreRef& semaphore, const Spot& spot);

  // validate_steps.cc: steps and tasks
  /// `before` is filled with the steps; the scope refers to it.
  void check_steps(const Template& tmpl, const Spot& spot, Variables& scope, NodeOutputs& before);
  void check_step(const Step& step, const doc::Value& document, const Spot& spot, const Variables& scope,
                  std::string_view prefix);
  void check_loop(const Step& step, const Spot& spot, Variables& scope);
  void check_sequence(const Sequence& sequence, const Spot& spot);
  void check_when(const Step& step, const Spot& spot);
  /// That what a step or hook names is there; `spot` is where it stands.
  void check_call(const Step& call, const Spot& spot);
  void check_ref(const Step& call, const Spot& spot);
  void check_hook(const LifecycleHook& hook, const Spot& spot);
  /// The arguments of a call: names, values, and that what `target` requires is there.
  void check_arguments(const Arguments& arguments, const Spot& spot);
  void check_supplied(const Template& target, const Arguments& arguments, const Spot& spot);
  /// The template that a step runs; nullptr when there is none.
  const Template* target(const Step& step) const;

  // validate_dag.cc
  void check_dag(const Template& tmpl, const Spot& spot, Variables& scope, NodeOutputs& all);
  /// The positions of the tasks that each task waits for.
  std::vector<std::vector<std::size_t>> check_dependencies(const Template& tmpl, const Spot& spot,
                                                           const TaskPositions& position);
  /// `depends` and `dependencies` themselves; the tasks that they name.
  std::vector<std::string> check_waiting(const Template& tmpl, std::size_t task, const Spot& spot,
                                         const TaskPositions& position, bool uses_depends);
  /// What a task takes from another asks for a dependency on it.
  void check_order(const Step& task, const doc::Value& document, const Spot& spot, const TaskPositions& position,
                   const std::function<bool(std::size_t)>& before);

  // validate_lint.cc: only with Validation::lint
  void lint_warn(const std::string& pointer, std::string message);
  void lint_step(const Step& step, const Spot& spot);
  void lint_arguments(const Template& called, const Arguments& arguments, const Spot& spot);
  void lint_order(std::string_view task, const doc::Value& document, const Spot& spot,
                  const std::function<bool(std::string_view)>& late);
  void lint_target(const Template& tmpl, const Spot& spot, const TaskPositions& position, const TaskGraph& graph);
  void lint_expressions(std::string_view text, const std::string& pointer, const Spot& spot, const Variables& scope);
  void lint_unreachable();
  void lint_item(std::string_view name, const std::string& pointer, const Spot& spot, const Variables& scope);
  void lint_retries(std::string_view name, const std::string& pointer, const Spot& spot, const Variables& scope);
  void lint_verdict(const std::string& expression, const Spot& spot);
  void lint_filter(const std::string& filter, const Spot& spot);
  void lint_sequence(const Sequence& sequence, const Spot& spot);
  void lint_recursion();
  void lint_sizes();
  /// Of the spec or a template.
  void lint_account(const doc::Value& holder, const Spot& spot);

  /// "; did you mean ...", left out once there are many findings: it costs time.
  std::string suggestion(std::string_view name, const Variables& scope) const;

  // rules used everywhere
  /// Names of steps, tasks, arguments and outputs may hold tags: they are judged once those are substituted.
  enum class NameKind { kField, kStep, kTask, kParameter, kOutput };
  /// A name is there, well-formed and not in `seen` yet.
  void check_name(const std::string& name, NameKind kind, const Spot& spot, std::set<std::string, std::less<>>& seen);
  void check_global_name(const std::string& name, const Spot& spot);
  void check_duration(const std::string& text, const Spot& spot, bool bare_seconds);
  void check_expression(const std::string& text, const Spot& spot);
  /// A `{{` without end, which some texts keep as it is.
  enum class Unclosed { kError, kStays };
  /// Every tag of the value resolves, every text with tags compiles.
  void check_texts(const doc::Value& value, const Spot& spot, std::string_view skip, const Variables& scope,
                   Unclosed unclosed = Unclosed::kError);

  /// A template of another object that is referred to and still to be checked.
  struct Foreign {
    const Template* tmpl;
    std::string scope;
    std::string pointer;  ///< of the first reference to it
  };
  void check_later(const Template* tmpl, std::string scope, const std::string& pointer);

  const Workflow& workflow_;
  std::vector<Finding>& findings_;
  const Validation validation_;
  Variables globals_;
  const Variables* step_ = nullptr;  ///< of an inline template: what the step knows that it stands in
  std::string scope_;                ///< where the template that is looked at finds others; "" in the workflow
  std::vector<Foreign> foreign_;
  std::set<const Template*> seen_;
  std::map<std::string, const Metric*, std::less<>> metrics_;  ///< the first of each name
};

}  // namespace tiphys::api
