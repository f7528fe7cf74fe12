#include "objects/kind_rules.h"

#include <utility>

#include "base/encoding.h"
#include "cluster/rare_resources.h"
#include "objects/budget_rules.h"
#include "objects/claim_rules.h"
#include "objects/custom_kind.h"
#include "objects/event_rules.h"
#include "objects/lease_rules.h"
#include "objects/names.h"
#include "objects/namespaces.h"
#include "objects/other_form.h"
#include "objects/pod_rules.h"
#include "objects/quota_rules.h"
#include "objects/rbac_rules.h"
#include "objects/service_rules.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

// ConfigMaps and Secrets

void check_keys(const doc::Value& object, std::string_view member, FieldErrors& errors) {
  const doc::Value* data = doc::find(object, member);
  if (!data || !data->is_object()) return;
  for (const auto& [key, value] : data->get_object()) {
    const std::string at = Path().field(member).key(key).text();
    for (const std::string& complaint : config_key(key))
      errors.push_back(schema::invalid(at, doc::Value(key), complaint));
  }
}

void check_config_map(const doc::Value& object, FieldErrors& errors) {
  check_keys(object, "data", errors);
  check_keys(object, "binaryData", errors);
  const doc::Value* data = doc::find(object, "data");
  const doc::Value* binary = doc::find(object, "binaryData");
  if (!data || !data->is_object() || !binary || !binary->is_object()) return;
  for (const auto& [key, value] : binary->get_object()) {
    if (!data->get_object().contains(key)) continue;
    errors.push_back(schema::invalid(Path().field("binaryData").key(key).text(), doc::Value(key),
                                     "duplicate of key present in data"));
  }
}

bool is_immutable(const doc::Value& object) {
  const doc::Value* immutable = doc::find(object, "immutable");
  return immutable && immutable->is_bool() && immutable->get_bool();
}

void check_immutable(const doc::Value& before, const doc::Value& after, std::initializer_list<std::string_view> members,
                     FieldErrors& errors) {
  if (!is_immutable(before)) return;
  if (!is_immutable(after)) {
    errors.push_back(schema::forbidden("immutable", "field is immutable when `immutable` is set"));
  }
  for (const std::string_view member : members) {
    const doc::Value* old = doc::find(before, member);
    const doc::Value* now = doc::find(after, member);
    if ((old ? *old : doc::Value()) == (now ? *now : doc::Value())) continue;
    errors.push_back(schema::forbidden(std::string(member), "field is immutable when `immutable` is set"));
  }
}

void check_config_map_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  check_immutable(before, after, {"data", "binaryData"}, errors);
}

void fill_secret(doc::Object& secret) {
  // What is written as text is held to the rules of data.
  if (const doc::Value* texts = secret.if_contains("stringData"); texts && texts->is_object()) {
    const doc::Object given = texts->get_object();
    doc::Object& data = doc::ensure_object(secret, "data");
    for (const auto& [key, text] : given) {
      if (text.is_string()) data[key] = encode_base64(text.get_string());
    }
    secret.erase("stringData");
  }
  doc::Value& type = secret["type"];
  if (!type.is_string() || type.get_string().empty()) type = "Opaque";
}

/// What Secrets of some types must hold.
const std::pair<std::string_view, std::vector<std::string_view>> kSecretKeys[] = {
    {"kubernetes.io/dockercfg", {".dockercfg"}},
    {"kubernetes.io/dockerconfigjson", {".dockerconfigjson"}},
    {"kubernetes.io/ssh-auth", {"ssh-privatekey"}},
    {"kubernetes.io/tls", {"tls.crt", "tls.key"}},
};

/// Passwords for registries are JSON; what is wrong with them is not shown, as it may be one.
void check_docker_config(const doc::Value& object, std::string_view key, FieldErrors& errors) {
  const doc::Value* data = doc::find(object, "data", key);
  if (!data) return;
  const auto text = decode_base64(doc::scalar_text(*data));
  const auto config = text ? doc::parse_json(*text) : Result<doc::Value>(fail(Code::kInvalidArgument, "not base64"));
  if (config && config->is_object()) return;
  errors.push_back(schema::invalid(Path().field("data").key(key).text(), doc::Value("<secret contents redacted>"),
                                   config ? "must be an object" : "must be JSON"));
}

void check_secret(const doc::Value& object, FieldErrors& errors) {
  check_keys(object, "data", errors);
  const auto has = [&](std::string_view key) { return doc::find(object, "data", key) != nullptr; };
  const auto require = [&](std::string_view key) {
    errors.push_back(schema::required(Path().field("data").key(key).text()));
  };
  const auto type = doc::find_string(object, "type");
  for (const auto& [of, keys] : kSecretKeys) {
    if (type != of) continue;
    for (const std::string_view key : keys) {
      if (!has(key)) require(key);
    }
  }
  if (type == "kubernetes.io/dockercfg") check_docker_config(object, ".dockercfg", errors);
  if (type == "kubernetes.io/dockerconfigjson") check_docker_config(object, ".dockerconfigjson", errors);
  if (type == "kubernetes.io/basic-auth" && !has("username") && !has("password")) {
    require("username");
    require("password");
  }
  if (type == "kubernetes.io/service-account-token" &&
      doc::find_string(object, "metadata", "annotations", "kubernetes.io/service-account.name").empty()) {
    errors.push_back(schema::required("metadata.annotations[kubernetes.io/service-account.name]"));
  }
}

void check_secret_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  if (doc::find_string(before, "type") != doc::find_string(after, "type")) {
    errors.push_back(schema::invalid("type", doc::Value(doc::find_string(after, "type")), "field is immutable"));
  }
  check_immutable(before, after, {"data"}, errors);
}

/// All that the definitions of Argo's kinds demand; what is in it is for who runs it to judge.
void check_has_spec(const doc::Value& object, FieldErrors& errors) {
  const doc::Value* spec = doc::find(object, "spec");
  if (!spec || spec->is_null()) return errors.push_back(schema::required("spec"));
  if (!spec->is_object()) errors.push_back(schema::invalid("spec", *spec, "spec in body must be of type object"));
}

constexpr KindRules kWithoutController{
    .warning = "it is kept, and nothing acts on it: this plane has no controller of Argo Events"};

const std::pair<const cluster::Resource*, KindRules> kRules[] = {
    {&cluster::kJobs, kJobRules},
    {&cluster::kCronJobs, kCronJobRules},
    {&cluster::kReplicaSets, kReplicaSetRules},
    {&cluster::kDeployments, kDeploymentRules},
    {&cluster::kStatefulSets, kStatefulSetRules},
    {&cluster::kDaemonSets, kDaemonSetRules},
    {&cluster::kReplicationControllers, kReplicationControllerRules},
    {&cluster::kPods, kPodRules},
    {&cluster::kRoles, kRoleRules},
    {&cluster::kClusterRoles, kClusterRoleRules},
    {&cluster::kRoleBindings, kRoleBindingRules},
    {&cluster::kClusterRoleBindings, kClusterRoleBindingRules},
    {&cluster::kPersistentVolumeClaims, kClaimRules},
    {&cluster::kConfigMaps, {nullptr, check_config_map, check_config_map_update}},
    {&cluster::kSecrets, {fill_secret, check_secret, check_secret_update}},
    {&cluster::kNamespaces, {fill_namespace, check_namespace, check_namespace_update}},
    {&cluster::kCustomResourceDefinitions, {fill_definition, check_definition, check_definition_update}},
    {&cluster::kPodDisruptionBudgets, kBudgetRules},
    {&cluster::kEvents, kEventRules},
    {&cluster::kLeases, kLeaseRules},
    {&kNewEvents, kNewEventRules},
    {&cluster::kPriorityClasses, kPriorityClassRules},
    {&cluster::kLimitRanges, kLimitRangeRules},
    {&cluster::kServices, kServiceRules},
    {&cluster::kResourceQuotas, kResourceQuotaRules},
    {&cluster::kWorkflows, {nullptr, check_has_spec}},
    {&cluster::kWorkflowTemplates, {nullptr, check_has_spec}},
    {&cluster::kClusterWorkflowTemplates, {nullptr, check_has_spec}},
    {&cluster::kCronWorkflows, {nullptr, check_has_spec}},
    {&cluster::kEventBuses, kWithoutController},
    {&cluster::kEventSources, kWithoutController},
    {&cluster::kSensors, kWithoutController},
};

}  // namespace

const KindRules& rules_of(const cluster::Resource& resource) {
  static const KindRules kNone;
  for (const auto& [one, rules] : kRules) {
    if (one == &resource) return rules;
  }
  return kNone;
}

const doc::Value& spec_of(const doc::Value& object) {
  static const doc::Value kNothing = doc::Object();
  const doc::Value* spec = doc::find(object, "spec");
  return spec && spec->is_object() ? *spec : kNothing;
}

}  // namespace tiphys::objects
