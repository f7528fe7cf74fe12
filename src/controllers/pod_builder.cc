#include "controllers/pod_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/container_set.h"
#include "cluster/pod_annotations.h"
#include "controllers/global_scope.h"
#include "controllers/large_arguments.h"
#include "controllers/names.h"
#include "controllers/owner_reference.h"
#include "controllers/pod_files.h"
#include "controllers/pod_gc.h"
#include "doc/nulls.h"
#include "doc/patch.h"
#include "doc/yaml.h"
#include "expr/text_template.h"

namespace tiphys::controllers {
namespace {

const std::string kProgressFile = fmt::format("{}/{}", cluster::kProgressFolder, cluster::kProgressFileName);

const doc::Array& list(const doc::Value& value, std::string_view name) {
  static const doc::Array kNone;
  const doc::Value* member = doc::find(value, name);
  return member && member->is_array() ? member->get_array() : kNone;
}

bool given(const doc::Value* value) {
  if (!value || value->is_null()) return false;
  if (value->is_string()) return !value->get_string().empty();
  if (value->is_array()) return !value->get_array().empty();
  return true;
}

Result<doc::Shared> substituted_spec(const api::Workflow& workflow, const expr::Ambient& ambient) {
  doc::Object spec;
  if (workflow.spec.document && workflow.spec.document->is_object()) {
    for (const auto& [key, value] : workflow.spec.document->get_object()) {
      if (key != "templates" && key != "templateDefaults" && key != "workflowMetadata" && key != "arguments")
        spec[key] = value;
    }
  }
  TIPHYS_TRY(const expr::DocumentTemplate compiled, expr::DocumentTemplate::compile(std::move(spec)));
  if (compiled.constant()) return compiled.document();
  expr::Scope scope = global_scope(workflow);
  scope.set_ambient(&ambient);
  return compiled.render(scope, expr::Unresolved::kKeep);
}

void add_env(doc::Object& container, std::string_view name, std::string_view value) {
  doc::Value& env = container["env"];
  if (!env.is_array()) env = doc::Array{};
  env.get_array().push_back(doc::Object{{"name", name}, {"value", value}});
}

/// As Go writes a time; none is its zero.
std::string deadline_text(std::optional<Time> deadline) {
  return deadline ? format_rfc3339(*deadline) : "0001-01-01T00:00:00Z";
}

/// What programs in Argo's pods find in their environment.
void add_argo_env(doc::Object& container, const engine::CreatePod& request, std::string_view workflow_name) {
  // A copy: the first variable may move what the container holds.
  const doc::Value* name = container.if_contains("name");
  const std::string own_name(name && name->is_string() ? std::string_view(name->get_string()) : "");
  add_env(container, "ARGO_CONTAINER_NAME", own_name);
  add_env(container, "ARGO_NODE_ID", request.node_id);
  add_env(container, "ARGO_INCLUDE_SCRIPT_OUTPUT", request.include_result ? "true" : "false");
  add_env(container, "ARGO_DEADLINE", deadline_text(request.run_deadline));
  add_env(container, "ARGO_WORKFLOW_NAME", workflow_name);
  add_env(container, "ARGO_PROGRESS_FILE", kProgressFile);
}

/// The template's container, named main; a script's gets the path of its source as last argument.
doc::Object main_container(const doc::Value& pod_template) {
  const doc::Value* script = doc::find(pod_template, "script");
  const doc::Value* written = given(script) ? script : doc::find(pod_template, "container");
  doc::Object container{{"name", kMainContainer}};
  if (!written || !written->is_object()) return container;
  for (const auto& [key, value] : written->get_object()) {
    if (key != "name" && key != "source") container[key] = value;
  }
  if (written == script && !doc::find_string(pod_template, "script", "source").empty()) {
    doc::Value& args = container["args"];
    if (!args.is_array()) args = doc::Array{};
    args.get_array().emplace_back(kScriptPath);
  }
  return container;
}

/// The containers of a containerSet, each with the set's mounts.
doc::Array set_containers(const doc::Value& set) {
  doc::Array containers;
  for (const doc::Value& written : list(set, "containers")) {
    doc::Object container;
    for (const auto& [key, value] : written.get_object()) {
      if (key != "dependencies") container[key] = value;
    }
    if (const doc::Array& shared = list(set, "volumeMounts"); !shared.empty()) {
      doc::Value& mounts = container["volumeMounts"];
      if (!mounts.is_array()) mounts = doc::Array{};
      for (const doc::Value& mount : shared) mounts.get_array().push_back(mount);
    }
    containers.push_back(std::move(container));
  }
  return containers;
}

std::string container_set_annotation(const doc::Value& set) {
  doc::Object graph;
  for (const doc::Value& container : list(set, "containers")) {
    graph[doc::find_string(container, "name")] = list(container, "dependencies");
  }
  return doc::to_json(std::move(graph));
}

/// Where a container of the set may run more than once.
Status add_command_attempts(const doc::Value& set, doc::Object& annotations) {
  TIPHYS_TRY(const api::CommandAttempts attempts, api::command_attempts(set));
  if (attempts.most == 1) return {};
  annotations[cluster::kCommandAttemptsAnnotation] =
      doc::to_json(doc::Object{{"attempts", attempts.most}, {"pause", format_go_duration(attempts.pause)}});
  return {};
}

/// What a command such as "logs" shows when it is not told otherwise: main, or else the last one, as the original.
std::string default_container(const doc::Value* set) {
  std::string chosen(kMainContainer);
  if (!set) return chosen;
  for (const doc::Value& container : list(*set, "containers")) {
    chosen = doc::find_string(container, "name");
    if (chosen == kMainContainer) break;
  }
  return chosen;
}

/// An init container or sidecar, with main's mounts where it mirrors them.
doc::Object further_container(const doc::Value& written, const doc::Object& main) {
  doc::Object container;
  bool mirrors = false;
  for (const auto& [key, value] : written.get_object()) {
    if (key == "mirrorVolumeMounts") {
      mirrors = value.is_bool() && value.get_bool();
    } else {
      container[key] = value;
    }
  }
  const doc::Value* mounts = main.if_contains("volumeMounts");
  if (mirrors && mounts && mounts->is_array()) {
    doc::Value& own = container["volumeMounts"];
    if (!own.is_array()) own = doc::Array{};
    for (const doc::Value& mount : mounts->get_array()) own.get_array().push_back(mount);
  }
  return container;
}

void merge_strings(const doc::Value* from, doc::Object& to) {
  if (!from || !from->is_object()) return;
  for (const auto& [key, value] : from->get_object()) to[key] = value;
}

std::int64_t whole_seconds(Duration duration) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count());
}

/// Tags that are left in a key would make one place of many.
Status check_resolved(const doc::Object& archive) {
  const std::string text = doc::to_json(archive);
  const auto begin = text.find("{{");
  const auto end = begin == text.npos ? text.npos : text.find("}}", begin);
  if (end == text.npos) return {};
  return fail(Code::kInvalidArgument, "failed to resolve " + text.substr(begin, end + 2 - begin));
}

const doc::Value* find_named(const doc::Array& array, std::string_view name) {
  const auto it = std::find_if(array.begin(), array.end(),
                               [&](const doc::Value& item) { return doc::find_string(item, "name") == name; });
  return it == array.end() ? nullptr : &*it;
}

}  // namespace

PodBuilder::PodBuilder(const api::Workflow& workflow, const expr::Ambient& ambient, ArtifactRepository repository,
                       doc::Shared main, Duration pod_gc_delay)
    : name_(workflow.name),
      ns_(workflow.ns),
      uid_(workflow.uid),
      main_(std::move(main)),
      spec_(substituted_spec(workflow, ambient)),
      repository_(std::move(repository)) {
  if (!spec_) return;
  claims_ = WorkflowClaims::of(**spec_, name_, uid_);
  claim_volumes_ = claims_.volumes();
  pod_gc_ = pod_gc_annotation(**spec_, pod_gc_delay);
  patch_ = expr::TextTemplate::compile(doc::find_string(**spec_, "podSpecPatch"));
}

Status PodBuilder::add_containers(const engine::CreatePod& request, std::string_view traceparent,
                                  doc::Object& spec) const {
  const doc::Value& pod_template = *request.template_document;
  const doc::Value* set = doc::find(pod_template, "containerSet");
  doc::Array init, containers, main_ones;
  if (given(set)) main_ones = set_containers(*set);
  if (!given(set)) main_ones.push_back(main_container(pod_template));
  for (doc::Value& each : main_ones) {
    if (!main_) break;
    doc::Value merged = *main_;
    TIPHYS_CHECK_OK(doc::apply_strategic_merge_patch(merged, each, "Container"));
    each = std::move(merged);
  }
  const doc::Object* found = &main_ones.front().get_object();
  for (const doc::Value& each : main_ones) {
    if (doc::find_string(each, "name") == kMainContainer) found = &each.get_object();
  }
  const doc::Object main = *found;
  for (const doc::Value& written : list(pod_template, "initContainers")) {
    init.push_back(further_container(written, main));
  }
  doc::Array sidecars;
  for (const doc::Value& written : list(pod_template, "sidecars")) sidecars.push_back(further_container(written, main));
  for (doc::Value& each : main_ones) containers.push_back(std::move(each));
  for (doc::Value& sidecar : sidecars) containers.push_back(std::move(sidecar));
  for (doc::Array* all : {&containers, &init}) {
    for (doc::Value& container : *all) {
      doc::drop_nulls(container);
      add_argo_env(container.get_object(), request, name_);
      if (!traceparent.empty()) add_env(container.get_object(), "TRACEPARENT", traceparent);
    }
  }
  if (!init.empty()) spec["initContainers"] = std::move(init);
  spec["containers"] = std::move(containers);
  return {};
}

/// That of the repository where it is on, else of the template, else of the workflow.
bool PodBuilder::archives_logs(const doc::Value& pod_template) const {
  const doc::Value* wanted = doc::find(pod_template, "archiveLocation", "archiveLogs");
  // A place of its own stands for itself.
  if (has_own_archive(pod_template)) return wanted && wanted->is_bool() && wanted->get_bool();
  if (repository_.archives_logs()) return true;
  if (!wanted || !wanted->is_bool()) wanted = doc::find(**spec_, "archiveLogs");
  return wanted && wanted->is_bool() && wanted->get_bool();
}

Status PodBuilder::add_files(const engine::CreatePod& request, doc::Array files, doc::Object& annotations) const {
  const doc::Value& pod_template = *request.template_document;
  const bool logs = archives_logs(pod_template);
  doc::Object archive;
  if (logs || needs_archive_location(pod_template)) {
    TIPHYS_TRY(archive, archive_location(pod_template, request.pod_name));
    TIPHYS_CHECK_OK(check_resolved(archive));
  }
  TIPHYS_TRY(const std::string inputs, inputs_annotation(pod_template, archive, std::move(files)));
  if (!inputs.empty()) annotations[cluster::kInputsAnnotation] = inputs;
  const std::string wanted = outputs_wanted_annotation(request, archive, logs);
  if (!wanted.empty()) annotations[cluster::kOutputsWantedAnnotation] = wanted;
  return {};
}

Result<doc::Object> PodBuilder::metadata(const engine::CreatePod& request, doc::Array files) const {
  const doc::Value& pod_template = *request.template_document;
  doc::Object labels{{kWorkflowLabel, name_}, {kCompletedLabel, "false"}};
  if (request.on_exit) labels[kOnExitLabel] = "true";
  const doc::Value* set = doc::find(pod_template, "containerSet");
  doc::Object annotations{{kNodeNameAnnotation, request.node_name},
                          {kNodeIdAnnotation, request.node_id},
                          {kDefaultContainerAnnotation, default_container(set)}};
  if (!pod_gc_.empty()) annotations[kPodGcStrategyAnnotation] = pod_gc_;
  if (set) {
    annotations[cluster::kContainerSetAnnotation] = container_set_annotation(*set);
    TIPHYS_CHECK_OK(add_command_attempts(*set, annotations));
  }
  merge_strings(doc::find(**spec_, "podMetadata", "labels"), labels);
  merge_strings(doc::find(**spec_, "podMetadata", "annotations"), annotations);
  merge_strings(doc::find(pod_template, "metadata", "labels"), labels);
  merge_strings(doc::find(pod_template, "metadata", "annotations"), annotations);
  TIPHYS_CHECK_OK(add_files(request, std::move(files), annotations));
  return object_metadata(request.pod_name, std::move(labels), std::move(annotations));
}

/// Of a pod of the workflow.
doc::Object PodBuilder::object_metadata(std::string_view pod_name, doc::Object labels, doc::Object annotations) const {
  return {{"name", pod_name},
          {"namespace", ns_},
          {"labels", std::move(labels)},
          {"annotations", std::move(annotations)},
          {"ownerReferences", doc::Array{owner_reference(name_, uid_)}}};
}

Status PodBuilder::add_volumes(const doc::Value& pod_template, doc::Object& spec) const {
  doc::Array volumes;
  for (const std::string_view containers : {"initContainers", "containers"}) {
    const doc::Value* members = spec.if_contains(containers);
    if (!members) continue;
    for (const doc::Value& container : members->get_array()) {
      for (const doc::Value& mount : list(container, "volumeMounts")) {
        const std::string_view name = doc::find_string(mount, "name");
        if (find_named(volumes, name)) continue;
        const doc::Value* volume = find_named(list(pod_template, "volumes"), name);
        if (!volume) volume = find_named(list(**spec_, "volumes"), name);
        if (!volume) volume = find_named(claim_volumes_, name);
        if (!volume) return fail(Code::kInvalidArgument, fmt::format("volume '{}' not found in workflow spec", name));
        volumes.push_back(*volume);
      }
    }
  }
  if (!volumes.empty()) spec["volumes"] = std::move(volumes);
  return {};
}

void PodBuilder::add_scheduling(const doc::Value& pod_template, doc::Object& spec) const {
  // Fields of a template win over the workflow's.
  struct Field {
    std::string_view pod, of_template, of_workflow;
  };
  static constexpr Field kFields[] = {
      {"serviceAccountName", "serviceAccountName", "serviceAccountName"},
      {"automountServiceAccountToken", "automountServiceAccountToken", "automountServiceAccountToken"},
      {"nodeSelector", "nodeSelector", "nodeSelector"},
      {"affinity", "affinity", "affinity"},
      {"tolerations", "tolerations", "tolerations"},
      {"schedulerName", "schedulerName", "schedulerName"},
      {"priorityClassName", "priorityClassName", "podPriorityClassName"},
      {"securityContext", "securityContext", "securityContext"},
      {"resources", "podResources", "podResources"},
      {"resourceClaims", "resourceClaims", "resourceClaims"},
      {"imagePullSecrets", "", "imagePullSecrets"},
      {"hostNetwork", "", "hostNetwork"},
      {"dnsPolicy", "", "dnsPolicy"},
      {"dnsConfig", "", "dnsConfig"},
  };
  for (const Field& field : kFields) {
    const doc::Value* value = field.of_template.empty() ? nullptr : doc::find(pod_template, field.of_template);
    if (!given(value)) value = doc::find(**spec_, field.of_workflow);
    if (given(value)) spec[field.pod] = *value;
  }
  doc::Array aliases = list(**spec_, "hostAliases");
  for (const doc::Value& alias : list(pod_template, "hostAliases")) aliases.push_back(alias);
  if (!aliases.empty()) spec["hostAliases"] = std::move(aliases);
}

/// The workflow's patch may name what differs from pod to pod; the template's has been substituted with the template.
Result<std::string> PodBuilder::workflow_patch(const engine::CreatePod& request) const {
  if (!patch_) return std::unexpected(patch_.error());
  const expr::TextTemplate& text = *patch_;
  if (text.constant()) return text.text();
  expr::Scope scope;
  scope.set("pod.name", request.pod_name);
  static const doc::Value kNone;
  const doc::Value* inputs = doc::find(*request.template_document, "inputs");
  for (const doc::Value& parameter : list(inputs ? *inputs : kNone, "parameters")) {
    const doc::Value* value = doc::find(parameter, "value");
    if (value)
      scope.set(fmt::format("inputs.parameters.{}", doc::find_string(parameter, "name")), doc::scalar_text(*value));
  }
  return text.render(scope, expr::Unresolved::kKeep);
}

Status PodBuilder::apply_patches(const engine::CreatePod& request, doc::Value& spec) const {
  auto of_workflow = workflow_patch(request);
  if (!of_workflow) {
    return std::unexpected(of_workflow.error().in("Failed to substitute the PodSpecPatch variables"));
  }
  const std::string_view of_template = doc::find_string(*request.template_document, "podSpecPatch");
  for (const std::string_view text : {std::string_view(*of_workflow), of_template}) {
    if (text.empty()) continue;
    Result<std::vector<doc::Document>> documents = doc::parse_yaml(text, "podSpecPatch");
    if (!documents) return std::unexpected(documents.error().in("Error applying PodSpecPatch"));
    for (const doc::Document& patch : *documents) {
      if (Status applied = doc::apply_strategic_merge_patch(spec, patch.root, "PodSpec"); !applied) {
        return std::unexpected(applied.error().in("Error applying PodSpecPatch"));
      }
    }
  }
  return {};
}

/// Files for the arguments of main that are too long.
doc::Array PodBuilder::offload_main(doc::Value& spec) {
  doc::Value* containers = spec.is_object() ? spec.get_object().if_contains("containers") : nullptr;
  if (!containers || !containers->is_array()) return {};
  for (doc::Value& container : containers->get_array()) {
    if (doc::find_string(container, "name") == kMainContainer) return offload_arguments(container.get_object());
  }
  return {};
}

Result<doc::Value> PodBuilder::build(const engine::CreatePod& request, std::string_view traceparent) const {
  if (!spec_) return std::unexpected(spec_.error());
  const doc::Value& pod_template = *request.template_document;
  doc::Object spec;
  TIPHYS_CHECK_OK(add_containers(request, traceparent, spec));
  TIPHYS_CHECK_OK(add_volumes(pod_template, spec));
  spec["restartPolicy"] = "Never";
  if (request.active_deadline) spec["activeDeadlineSeconds"] = whole_seconds(*request.active_deadline);
  add_scheduling(pod_template, spec);
  doc::Value patched = std::move(spec);
  TIPHYS_CHECK_OK(apply_patches(request, patched));
  TIPHYS_TRY(doc::Object metadata, this->metadata(request, offload_main(patched)));
  return doc::Object{
      {"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}, {"spec", std::move(patched)}};
}

Result<doc::Value> PodBuilder::build_agent(const std::string& pod_name, const std::vector<ExecutorPlugin>& plugins,
                                           const std::string& secret) const {
  if (!spec_) return std::unexpected(spec_.error());
  doc::Array containers, volumes;
  for (const ExecutorPlugin& plugin : plugins) {
    const std::string volume = "var-run-argo-" + plugin.name;
    doc::Object container = plugin.container.get_object();
    doc::Value& mounts = container["volumeMounts"];
    if (!mounts.is_array()) mounts = doc::Array{};
    mounts.get_array().push_back(doc::Object{{"name", volume}, {"mountPath", "/var/run/argo"}, {"readOnly", true}});
    containers.push_back(std::move(container));
    const doc::Object item{{"key", plugin.name}, {"path", "token"}};
    volumes.push_back(doc::Object{{"name", volume}, {"secret", {{"secretName", secret}, {"items", doc::Array{item}}}}});
  }
  // As in the original, a plugin that fails is started again for the next node.
  doc::Object spec{
      {"containers", std::move(containers)}, {"volumes", std::move(volumes)}, {"restartPolicy", "OnFailure"}};
  static const doc::Shared kNoTemplate = std::make_shared<const doc::Value>(doc::Object{});
  add_scheduling(*kNoTemplate, spec);
  doc::Value patched = std::move(spec);
  engine::CreatePod request;
  request.pod_name = pod_name;
  request.template_document = kNoTemplate;
  TIPHYS_CHECK_OK(apply_patches(request, patched));
  doc::Object labels{{kWorkflowLabel, name_}, {kCompletedLabel, "false"}, {kComponentLabel, kAgentComponent}};
  doc::Object annotations{{kDefaultContainerAnnotation, plugins.front().name}};
  merge_strings(doc::find(**spec_, "podMetadata", "labels"), labels);
  merge_strings(doc::find(**spec_, "podMetadata", "annotations"), annotations);
  return doc::Object{{"apiVersion", "v1"},
                     {"kind", "Pod"},
                     {"metadata", object_metadata(pod_name, std::move(labels), std::move(annotations))},
                     {"spec", std::move(patched)}};
}

}  // namespace tiphys::controllers
