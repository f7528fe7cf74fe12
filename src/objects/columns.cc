#include "objects/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "objects/human_duration.h"

namespace tiphys::objects {
namespace {

using doc::Value;

Value or_none(std::string_view text) {
  return Value(text.empty() ? std::string_view("<none>") : text);
}

std::int64_t number_of(const Value* value) {
  return value && value->is_int64() ? value->get_int64() : 0;
}

std::int64_t size_of(const Value* value) {
  if (value && value->is_object()) return static_cast<std::int64_t>(value->get_object().size());
  return value && value->is_array() ? static_cast<std::int64_t>(value->get_array().size()) : 0;
}

/// Strings of a list, or of a member of its objects, with commas between.
std::string joined(const Value* list, std::string_view member = {}) {
  std::string text;
  if (!list || !list->is_array()) return text;
  for (const Value& one : list->get_array()) {
    const auto part =
        member.empty() && one.is_string() ? std::string_view(one.get_string()) : doc::find_string(one, member);
    if (!text.empty()) text += ',';
    text += part;
  }
  return text;
}

/// "a=b,c=d" of a map of strings.
std::string pairs(const Value* map) {
  std::string text;
  if (!map || !map->is_object()) return text;
  for (const auto& [key, value] : map->get_object()) {
    if (!text.empty()) text += ',';
    text += fmt::format("{}={}", std::string_view(key), doc::scalar_text(value));
  }
  return text;
}

Value phase(const Value& object, Time) {
  return Value(doc::find_string(object, "status", "phase"));
}

Value pod_ip(const Value& pod, Time) {
  return or_none(doc::find_string(pod, "status", "podIP"));
}
Value pod_node(const Value& pod, Time) {
  return or_none(doc::find_string(pod, "spec", "nodeName"));
}
Value none(const Value&, Time) {
  return Value("<none>");
}
constexpr std::array kPodColumns{
    kNameColumn,
    Column{"Ready", "string", 0, "How many of its containers are ready.", pod_ready_cell},
    Column{"Status", "string", 0, "What its containers do, taken together.", pod_status_cell},
    Column{"Restarts", "string", 0, "How often its containers were started again, and when last.", pod_restarts_cell},
    kAgeColumn,
    Column{"IP", "string", 1, "Its address.", pod_ip},
    Column{"Node", "string", 1, "The machine that it is on.", pod_node},
    Column{"Nominated Node", "string", 1, "Always none here: a pod waits until the machine has room.", none},
    Column{"Readiness Gates", "string", 1, "Always none here.", none}};

Value data_count(const Value& object, Time) {
  return Value(size_of(doc::find(object, "data")) + size_of(doc::find(object, "binaryData")));
}
constexpr std::array kConfigMapColumns{kNameColumn, Column{"Data", "string", 0, "How many keys it has.", data_count},
                                       kAgeColumn};

Value secret_type(const Value& object, Time) {
  return Value(doc::find_string(object, "type"));
}
constexpr std::array kSecretColumns{kNameColumn, Column{"Type", "string", 0, "What its keys are for.", secret_type},
                                    Column{"Data", "string", 0, "How many keys it has.", data_count}, kAgeColumn};

Value namespace_status(const Value& object, Time) {
  const bool ending = !doc::find_string(object, "metadata", "deletionTimestamp").empty();
  return Value(ending ? std::string_view("Terminating") : doc::find_string(object, "status", "phase"));
}
constexpr std::array kNamespaceColumns{
    kNameColumn, Column{"Status", "string", 0, "Active, or Terminating.", namespace_status}, kAgeColumn};

Value account_secrets(const Value& object, Time) {
  return Value(size_of(doc::find(object, "secrets")));
}
constexpr std::array kServiceAccountColumns{
    kNameColumn, Column{"Secrets", "string", 0, "How many Secrets belong to it.", account_secrets}, kAgeColumn};

std::string access_modes(const Value* modes) {
  std::string text;
  if (!modes || !modes->is_array()) return text;
  for (const Value& mode : modes->get_array()) {
    const std::string name = doc::scalar_text(mode);
    if (!text.empty()) text += ',';
    text += name == "ReadWriteOnce"      ? "RWO"
            : name == "ReadOnlyMany"     ? "ROX"
            : name == "ReadWriteMany"    ? "RWX"
            : name == "ReadWriteOncePod" ? "RWOP"
                                         : name;
  }
  return text;
}
Value claim_volume(const Value& claim, Time) {
  return Value(doc::find_string(claim, "spec", "volumeName"));
}
Value claim_capacity(const Value& claim, Time) {
  return Value(doc::find_string(claim, "status", "capacity", "storage"));
}
Value claim_modes(const Value& claim, Time) {
  return Value(access_modes(doc::find(claim, "status", "accessModes")));
}
Value claim_class(const Value& claim, Time) {
  return Value(doc::find_string(claim, "spec", "storageClassName"));
}
Value unset(const Value&, Time) {
  return Value("<unset>");
}
Value claim_volume_mode(const Value& claim, Time) {
  const auto mode = doc::find_string(claim, "spec", "volumeMode");
  return Value(mode.empty() ? std::string_view("<unset>") : mode);
}
constexpr std::array kClaimColumns{
    kNameColumn,
    Column{"Status", "string", 0, "Whether it has a place.", phase},
    Column{"Volume", "string", 0, "The volume that it is bound to.", claim_volume},
    Column{"Capacity", "string", 0, "What the volume holds.", claim_capacity},
    Column{"Access Modes", "string", 0, "How the volume may be mounted.", claim_modes},
    Column{"StorageClass", "string", 0, "The class that it asks for.", claim_class},
    Column{"VolumeAttributesClass", "string", 0, "None on this plane.", unset},
    kAgeColumn,
    Column{"VolumeMode", "string", 1, "A file system or a block device.", claim_volume_mode}};

Value service_type(const Value& service, Time) {
  return Value(doc::find_string(service, "spec", "type"));
}
Value service_address(const Value& service, Time) {
  return or_none(doc::find_string(service, "spec", "clusterIP"));
}
Value service_external(const Value& service, Time) {
  return or_none(joined(doc::find(service, "spec", "externalIPs")));
}
Value service_ports(const Value& service, Time) {
  const Value* ports = doc::find(service, "spec", "ports");
  if (size_of(ports) == 0) return Value("<none>");
  std::string text;
  for (const Value& port : ports->get_array()) {
    if (!text.empty()) text += ',';
    text += std::to_string(number_of(doc::find(port, "port")));
    if (const auto node = number_of(doc::find(port, "nodePort")); node != 0) text += fmt::format(":{}", node);
    text += fmt::format("/{}", doc::find_string(port, "protocol"));
  }
  return Value(text);
}
Value service_selector(const Value& service, Time) {
  return or_none(pairs(doc::find(service, "spec", "selector")));
}
constexpr std::array kServiceColumns{
    kNameColumn,
    Column{"Type", "string", 0, "How it is reached.", service_type},
    Column{"Cluster-IP", "string", 0, "Its address among pods.", service_address},
    Column{"External-IP", "string", 0, "Further addresses.", service_external},
    Column{"Port(s)", "string", 0, "Its ports.", service_ports},
    kAgeColumn,
    Column{"Selector", "string", 1, "The labels of the pods behind it.", service_selector}};

Value node_status(const Value& node, Time) {
  const Value* conditions = doc::find(node, "status", "conditions");
  std::string text = "Unknown";
  for (const Value& one : conditions && conditions->is_array() ? conditions->get_array() : doc::Array()) {
    if (doc::find_string(one, "type") != "Ready") continue;
    text = doc::find_string(one, "status") == "True" ? "Ready" : "NotReady";
  }
  const Value* unschedulable = doc::find(node, "spec", "unschedulable");
  if (unschedulable && unschedulable->is_bool() && unschedulable->get_bool()) text += ",SchedulingDisabled";
  return Value(text);
}
Value node_version(const Value& node, Time) {
  return Value(doc::find_string(node, "status", "nodeInfo", "kubeletVersion"));
}
Value node_address(const Value& node, Time) {
  const Value* addresses = doc::find(node, "status", "addresses");
  for (const Value& one : addresses && addresses->is_array() ? addresses->get_array() : doc::Array()) {
    if (doc::find_string(one, "type") == "InternalIP") return Value(doc::find_string(one, "address"));
  }
  return Value("<none>");
}
Value node_image(const Value& node, Time) {
  return Value(doc::find_string(node, "status", "nodeInfo", "osImage"));
}
Value node_kernel(const Value& node, Time) {
  return Value(doc::find_string(node, "status", "nodeInfo", "kernelVersion"));
}
Value node_runtime(const Value& node, Time) {
  return Value(doc::find_string(node, "status", "nodeInfo", "containerRuntimeVersion"));
}
constexpr std::array kNodeColumns{kNameColumn,
                                  Column{"Status", "string", 0, "Whether it runs pods.", node_status},
                                  Column{"Roles", "string", 0, "Always none here.", none},
                                  kAgeColumn,
                                  Column{"Version", "string", 0, "Of the API that it speaks.", node_version},
                                  Column{"Internal-IP", "string", 1, "Its address.", node_address},
                                  Column{"External-IP", "string", 1, "Always none here.", none},
                                  Column{"OS-Image", "string", 1, "Its system.", node_image},
                                  Column{"Kernel-Version", "string", 1, "Its kernel.", node_kernel},
                                  Column{"Container-Runtime", "string", 1, "What runs its containers.", node_runtime}};

Value budget_share(const Value& budget, std::string_view member) {
  const Value* share = doc::find(budget, "spec", member);
  return share ? Value(doc::scalar_text(*share)) : Value("N/A");
}
Value budget_least(const Value& budget, Time) {
  return budget_share(budget, "minAvailable");
}
Value budget_most(const Value& budget, Time) {
  return budget_share(budget, "maxUnavailable");
}
Value budget_allowed(const Value& budget, Time) {
  return Value(number_of(doc::find(budget, "status", "disruptionsAllowed")));
}
constexpr std::array kBudgetColumns{
    kNameColumn, Column{"Min Available", "string", 0, "How many of its pods must be there.", budget_least},
    Column{"Max Unavailable", "string", 0, "How many of its pods may be missing.", budget_most},
    Column{"Allowed Disruptions", "integer", 0, "How many of its pods may be evicted now.", budget_allowed},
    kAgeColumn};

Value lease_holder(const Value& lease, Time) {
  return Value(doc::find_string(lease, "spec", "holderIdentity"));
}
constexpr std::array kLeaseColumns{kNameColumn, Column{"Holder", "string", 0, "Who has it.", lease_holder}, kAgeColumn};

Value priority_value(const Value& object, Time) {
  return Value(number_of(doc::find(object, "value")));
}
Value priority_default(const Value& object, Time) {
  const Value* found = doc::find(object, "globalDefault");
  return Value(found && found->is_bool() && found->get_bool());
}
Value priority_policy(const Value& object, Time) {
  return Value(doc::find_string(object, "preemptionPolicy"));
}
constexpr std::array kPriorityClassColumns{
    kNameColumn, Column{"Value", "integer", 0, "The greater goes first.", priority_value},
    Column{"Global-Default", "boolean", 0, "Whether pods without a class have it.", priority_default}, kAgeColumn,
    Column{"PreemptionPolicy", "string", 1, "Whether its pods push others out.", priority_policy}};

Value job_status(const Value& job, Time) {
  const Value* conditions = doc::find(job, "status", "conditions");
  const auto has = [&](std::string_view type) {
    if (!conditions || !conditions->is_array()) return false;
    return std::ranges::any_of(conditions->get_array(), [&](const Value& one) {
      return doc::find_string(one, "type") == type && doc::find_string(one, "status") == "True";
    });
  };
  if (has("Complete")) return Value("Complete");
  if (has("Failed")) return Value("Failed");
  if (!doc::find_string(job, "metadata", "deletionTimestamp").empty()) return Value("Terminating");
  if (has("Suspended")) return Value("Suspended");
  if (has("FailureTarget")) return Value("FailureTarget");
  return Value(has("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running");
}
Value job_completions(const Value& job, Time) {
  const std::int64_t succeeded = number_of(doc::find(job, "status", "succeeded"));
  const Value* completions = doc::find(job, "spec", "completions");
  if (completions && completions->is_int64()) return Value(fmt::format("{}/{}", succeeded, completions->get_int64()));
  const std::int64_t parallel = number_of(doc::find(job, "spec", "parallelism"));
  return Value(parallel > 1 ? fmt::format("{}/1 of {}", succeeded, parallel) : fmt::format("{}/1", succeeded));
}
Value job_duration(const Value& job, Time now) {
  const auto start = parse_rfc3339(doc::find_string(job, "status", "startTime"));
  if (!start) return Value("");
  const auto end = parse_rfc3339(doc::find_string(job, "status", "completionTime"));
  return Value(human_duration((end ? *end : now) - *start));
}
constexpr std::array kJobColumns{
    kNameColumn,
    Column{"Status", "string", 0, "Where it stands.", job_status},
    Column{"Completions", "string", 0, "How many of its pods have succeeded.", job_completions},
    Column{"Duration", "string", 0, "How long it took, or takes.", job_duration},
    kAgeColumn,
    kContainersColumn,
    kImagesColumn,
    kSelectorColumn};

Value workflow_age(const Value& workflow, Time now) {
  const auto started = doc::find_string(workflow, "status", "startedAt");
  return started.empty() ? Value() : Value(age_since(started, now));
}
Value workflow_message(const Value& workflow, Time) {
  return Value(doc::find_string(workflow, "status", "message"));
}
constexpr std::array kWorkflowColumns{kNameColumn, Column{"Status", "string", 0, "Where the workflow stands.", phase},
                                      Column{"Age", "string", 0, "Time since it began.", workflow_age},
                                      Column{"Message", "string", 0, "Why it stands there.", workflow_message}};

Value definition_created(const Value& definition, Time) {
  return Value(doc::find_string(definition, "metadata", "creationTimestamp"));
}
constexpr std::array kDefinitionColumns{kNameColumn,
                                        Column{"Created At", "date", 0, "When it was made.", definition_created}};

struct Columns {
  const cluster::Resource* resource;
  std::span<const Column> columns;
};
constexpr Columns kColumns[] = {
    {&cluster::kPods, kPodColumns},
    {&cluster::kConfigMaps, kConfigMapColumns},
    {&cluster::kSecrets, kSecretColumns},
    {&cluster::kNamespaces, kNamespaceColumns},
    {&cluster::kServiceAccounts, kServiceAccountColumns},
    {&cluster::kPersistentVolumeClaims, kClaimColumns},
    {&cluster::kServices, kServiceColumns},
    {&cluster::kNodes, kNodeColumns},
    {&cluster::kLeases, kLeaseColumns},
    {&cluster::kPodDisruptionBudgets, kBudgetColumns},
    {&cluster::kPriorityClasses, kPriorityClassColumns},
    {&cluster::kJobs, kJobColumns},
    {&cluster::kCustomResourceDefinitions, kDefinitionColumns},
    {&cluster::kWorkflows, kWorkflowColumns},
};

}  // namespace

static const Value* template_containers(const Value& object) {
  return doc::find(object, "spec", "template", "spec", "containers");
}
Value container_names_cell(const Value& object, Time) {
  return Value(joined(template_containers(object), "name"));
}
Value container_images_cell(const Value& object, Time) {
  return Value(joined(template_containers(object), "image"));
}
Value label_map_cell(const Value* labels) {
  return or_none(pairs(labels));
}
Value label_selector_cell(const Value& object, Time) {
  return label_map_cell(doc::find(object, "spec", "selector", "matchLabels"));
}
Value name_cell(const Value& object, Time) {
  return Value(doc::find_string(object, "metadata", "name"));
}

Value age_cell(const Value& object, Time now) {
  return Value(age_since(doc::find_string(object, "metadata", "creationTimestamp"), now));
}

std::span<const Column> own_columns(const cluster::Resource& resource) {
  const auto* found = std::ranges::find(kColumns, &resource, &Columns::resource);
  if (found != std::end(kColumns)) return found->columns;
  for (const auto columns :
       {workload_columns(resource), quota_columns(resource), endpoint_columns(resource), event_columns(resource)}) {
    if (!columns.empty()) return columns;
  }
  return {};
}

}  // namespace tiphys::objects
