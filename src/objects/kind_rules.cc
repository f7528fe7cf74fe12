#include "objects/kind_rules.h"

#include <utility>

#include "objects/custom_kind.h"
#include "objects/names.h"
#include "objects/namespaces.h"
#include "objects/pod_spec_rules.h"
#include "objects/quota_rules.h"
#include "objects/service_rules.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

const doc::Value& spec_of(const doc::Value& object) {
  static const doc::Value kNothing = doc::Object();
  const doc::Value* spec = doc::find(object, "spec");
  return spec && spec->is_object() ? *spec : kNothing;
}

// Pods

void fill_pod(doc::Object& pod) {
  doc::Object& spec = doc::ensure_object(pod, "spec");
  fill_pod_spec(spec);
  doc::Value& links = spec["enableServiceLinks"];
  if (links.is_null()) links = true;
}

void check_pod(const doc::Value& pod, FieldErrors& errors) {
  check_pod_spec(spec_of(pod), Path().field("spec"), errors);
}

/// A copy of a spec without what may be changed.
doc::Value fixed_part(const doc::Value& pod) {
  doc::Value spec = spec_of(pod);
  for (const char* free : {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"}) {
    spec.get_object().erase(free);
  }
  for (const char* list : {"containers", "initContainers"}) {
    doc::Value* containers = spec.get_object().if_contains(list);
    if (!containers || !containers->is_array()) continue;
    for (doc::Value& container : containers->get_array()) {
      if (container.is_object()) container.get_object().erase("image");
    }
  }
  return spec;
}

void check_pod_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  if (fixed_part(before) == fixed_part(after)) return;
  errors.push_back(schema::forbidden(
      "spec",
      "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
      "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
      "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"));
}

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
  doc::Value& type = secret["type"];
  if (!type.is_string() || type.get_string().empty()) type = "Opaque";
}

void check_secret(const doc::Value& object, FieldErrors& errors) {
  check_keys(object, "data", errors);
}

void check_secret_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  if (doc::find_string(before, "type") != doc::find_string(after, "type")) {
    errors.push_back(schema::invalid("type", doc::Value(doc::find_string(after, "type")), "field is immutable"));
  }
  check_immutable(before, after, {"data"}, errors);
}

const std::pair<const cluster::Resource*, KindRules> kRules[] = {
    {&cluster::kJobs, kJobRules},
    {&cluster::kCronJobs, kCronJobRules},
    {&cluster::kReplicaSets, kReplicaSetRules},
    {&cluster::kDeployments, kDeploymentRules},
    {&cluster::kPods, {fill_pod, check_pod, check_pod_update}},
    {&cluster::kConfigMaps, {nullptr, check_config_map, check_config_map_update}},
    {&cluster::kSecrets, {fill_secret, check_secret, check_secret_update}},
    {&cluster::kNamespaces, {fill_namespace, check_namespace, check_namespace_update}},
    {&cluster::kCustomResourceDefinitions, {fill_definition, check_definition, check_definition_update}},
    {&cluster::kPriorityClasses, kPriorityClassRules},
    {&cluster::kLimitRanges, kLimitRangeRules},
    {&cluster::kServices, kServiceRules},
    {&cluster::kResourceQuotas, kResourceQuotaRules},
};

}  // namespace

const KindRules& rules_of(const cluster::Resource& resource) {
  static const KindRules kNone;
  for (const auto& [one, rules] : kRules) {
    if (one == &resource) return rules;
  }
  return kNone;
}

}  // namespace tiphys::objects
