// Argo's Workflow kind (argoproj.io/v1alpha1), the part of it that runs today, and WorkflowTemplate and
// ClusterWorkflowTemplate, which have its form. Names and meanings:
// pkg/apis/workflow/v1alpha1/workflow_types.go.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/metric.h"
#include "api/synchronization.h"
#include "base/time.h"
#include "doc/value.h"

namespace tiphys::api {

/// A key of a ConfigMap. Both may hold tags, but for those of a workflow's own arguments.
struct ConfigMapKey {
  std::string name;
  std::string key;
  std::optional<bool> optional;  ///< carried: the original does not look at it either
};

/// Every parameter value is a string; numbers and booleans of the manifest become their JSON text.
struct ValueFrom {
  std::string path;                        ///< container/script: a file whose content is the value
  std::string json_path;                   ///< resource: kubectl's JSONPath
  std::string jq_filter;                   ///< resource: jq
  std::string parameter;                   ///< steps/dag outputs: "{{steps.a.outputs.parameters.x}}"
  std::string expression;                  ///< steps/dag outputs: expr-lang
  bool supplied = false;                   ///< suspend: a user gives it
  std::optional<ConfigMapKey> config_map;  ///< arguments and inputs
  std::optional<std::string> default_value;
};

struct Parameter {
  std::string name;
  std::optional<std::string> value;
  std::optional<std::string> default_value;
  std::optional<ValueFrom> value_from;
  std::vector<std::string> enum_values;
  std::string global_name;
  std::string description;
};

struct Artifact {
  enum class Archive { kTar, kNone, kZip };
  std::string name;
  std::string path;  ///< in the container
  std::string from;  ///< "{{steps.a.outputs.artifacts.x}}", braces included
  std::string from_expression;
  std::string sub_path;
  std::string global_name;
  std::optional<int> mode;
  bool recurse_mode = false;
  bool optional = false;
  Archive archive = Archive::kTar;
  std::optional<int> compression_level;  ///< of tar; 0 none
  /// Where the bytes are, as the manifest has it: {"raw": {"data": ...}} or {"s3": {"key": ...}} (key only: in the
  /// workflow's repository); empty object when the manifest names no place. See artifact_location.h.
  doc::Object location;
  /// The artifact exactly as it was written, for what we carry but do not read.
  doc::Object raw;
};

struct Inputs {
  std::vector<Parameter> parameters;
  std::vector<Artifact> artifacts;
};
using Arguments = Inputs;

struct Outputs {
  std::vector<Parameter> parameters;
  std::vector<Artifact> artifacts;
  std::optional<std::string> result;
  std::optional<std::string> exit_code;
  bool empty() const { return parameters.empty() && artifacts.empty() && !result && !exit_code; }
};

struct Sequence {
  std::string count, start, end, format;  ///< "" where absent; may hold tags
};

struct ContinueOn {
  bool error = false;
  bool failed = false;
};

struct Template;

/// A template of another object.
struct TemplateRef {
  std::string name;           ///< of the WorkflowTemplate or ClusterWorkflowTemplate
  std::string template_name;  ///< of the template in it
  bool cluster_scope = false;

  /// "namespaced/NAME" or "cluster/NAME": where the template's own references are looked up.
  std::string scope() const { return (cluster_scope ? "cluster/" : "namespaced/") + name; }
  /// As status.storedTemplates names it: scope and template.
  std::string key() const { return scope() + "/" + template_name; }
};

/// What runs at an event in the life of a workflow, step or task: `exit` at its end, others when their expression is
/// true.
struct LifecycleHook {
  std::string name;  ///< "onExit" of the field of that name
  std::string template_name;
  std::optional<TemplateRef> template_ref;
  Arguments arguments;     ///< an exit handler without any gets the workflow's
  std::string expression;  ///< expr-lang; "" always: `exit` only
};

/// A step of a steps template or a task of a dag template: they differ in `dependencies` and `depends`.
struct Step {
  std::string name;
  std::string template_name;
  std::optional<TemplateRef> template_ref;
  std::shared_ptr<const Template> inline_template;
  Arguments arguments;
  /// withItems as the manifest has it (an array; a single string tag is also taken); null when absent.
  std::optional<doc::Array> with_items;
  std::string with_param;
  std::optional<Sequence> with_sequence;
  std::string when;
  ContinueOn continue_on;
  std::optional<LifecycleHook> exit;  ///< onExit, else hooks.exit
  std::vector<LifecycleHook> hooks;   ///< the others
  std::vector<std::string> dependencies;
  std::string depends;

  /// An empty withItems is no loop.
  bool loops() const { return (with_items && !with_items->empty()) || !with_param.empty() || with_sequence; }
};

/// Steps that run at the same time.
using StepGroup = std::vector<Step>;

struct Dag {
  std::string target;
  bool fail_fast = true;
  std::vector<Step> tasks;
};

struct Suspend {
  std::string duration;  ///< "" waits for a user
};

struct ResourceAction {
  std::string action;          ///< get, create, apply, delete, replace, patch
  std::string merge_strategy;  ///< strategic (default), merge, json
  std::string manifest;
  std::string success_condition;
  std::string failure_condition;
  bool set_owner_reference = false;
  std::vector<std::string> flags;
};

struct Backoff {
  std::string duration, factor, cap, max_duration;
};

/// Several containers in one pod.
struct ContainerSet {
  struct Container {
    std::string name;
    std::vector<std::string> dependencies;  ///< those that must have succeeded before it starts
  };
  std::vector<Container> containers;
};

struct RetryStrategy {
  std::optional<std::string> limit;  ///< absent: no limit
  std::string retry_policy;          ///< "", Always, OnFailure, OnError, OnTransientError
  std::optional<Backoff> backoff;
  std::string expression;
};

struct Memoize {
  std::string key;
  std::string max_age;
  std::string config_map;  ///< cache.configMap.name
};

struct Template {
  enum class Type { kContainer, kScript, kSteps, kDag, kSuspend, kResource, kContainerSet, kHttp, kData, kPlugin };
  std::string name;
  Type type = Type::kContainer;
  Inputs inputs;
  Outputs outputs;
  std::vector<StepGroup> steps;
  std::optional<Dag> dag;
  std::optional<Suspend> suspend;
  std::optional<ResourceAction> resource;
  std::optional<ContainerSet> container_set;
  std::optional<RetryStrategy> retry_strategy;
  std::optional<Memoize> memoize;
  std::optional<Synchronization> synchronization;  ///< locks that its node holds while it runs
  std::string active_deadline_seconds;             ///< may hold tags; "" when absent
  std::string timeout;
  std::string pending_timeout;
  bool daemon = false;  ///< dependents go on once its pod is ready; it is ended with its scope
  std::optional<std::int64_t> parallelism;
  bool fail_fast = false;
  std::string display_name;  ///< annotation workflows.argoproj.io/display-name
  std::vector<Metric> metrics;
  /// The whole template as the manifest has it: what is substituted and handed to the node agent.
  doc::Shared document;

  /// Its nodes are those of pods, whoever does the work.
  bool runs_pod() const { return runs_containers() || type == Type::kResource || type == Type::kData; }
  /// The plane does it itself.
  bool is_action() const {
    return type == Type::kResource || type == Type::kHttp || type == Type::kData || type == Type::kPlugin;
  }
  /// What it gives is outputs.result.
  bool has_result() const;
  bool runs_containers() const {
    return type == Type::kContainer || type == Type::kScript || type == Type::kContainerSet;
  }
};

struct WorkflowSpec {
  std::string entrypoint;
  Arguments arguments;
  std::vector<std::shared_ptr<const Template>> templates;
  std::optional<LifecycleHook> exit;  ///< onExit, else hooks.exit
  std::vector<LifecycleHook> hooks;   ///< the others
  std::optional<std::int64_t> parallelism;
  std::optional<std::int64_t> active_deadline_seconds;
  std::optional<RetryStrategy> retry_strategy;
  std::vector<Metric> metrics;
  std::optional<Synchronization> synchronization;  ///< locks that the workflow holds from its beginning to its end
  bool suspend = false;
  std::string shutdown;  ///< "", Stop, Terminate
  std::string service_account_name;
  std::optional<std::int64_t> priority;
  std::optional<TemplateRef> workflow_template_ref;  ///< its template_name is ""
  doc::Shared template_defaults;                     ///< null when absent; the templates have it in them already
  /// The whole spec as the manifest has it.
  doc::Shared document;

  const Template* find_template(std::string_view name) const;
};

using StoredTemplates = std::map<std::string, std::shared_ptr<const Template>, std::less<>>;

struct Workflow {
  enum class Kind { kWorkflow, kWorkflowTemplate, kClusterWorkflowTemplate };
  Kind kind = Kind::kWorkflow;
  std::string name;
  std::string generate_name;
  std::string ns;
  std::string uid;
  Time created{};
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  /// What runs: of a workflow that refers to a template and has begun, status.storedWorkflowTemplateSpec.
  WorkflowSpec spec;
  /// The spec is the stored one.
  bool joined = false;
  /// status.storedTemplates: what the workflow takes from other objects, by TemplateRef::key().
  StoredTemplates stored_templates;
  /// status.configMapArguments: what arguments of the workflow got from ConfigMaps as it began. They have it as their
  /// value too.
  std::map<std::string, std::string> config_map_arguments;
  /// The whole object, status.nodes excepted.
  doc::Shared document;

  bool is_template() const { return kind != Kind::kWorkflow; }
  /// Gives them to the arguments as values.
  void take_config_map_arguments();
  /// The template that a step or hook names by `ref`, else the one `called` so among those of `scope` ("" is the
  /// workflow).
  const Template* find_template(std::string_view scope, std::string_view called,
                                const std::optional<TemplateRef>& ref) const;
};

}  // namespace tiphys::api
