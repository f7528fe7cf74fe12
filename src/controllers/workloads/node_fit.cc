#include "controllers/workloads/node_fit.h"

#include <algorithm>
#include <array>

#include "base/whole_number.h"
#include "cluster/taints.h"
#include "controllers/workloads/fields.h"

namespace tiphys::controllers::workloads {
namespace {

constexpr std::string_view kNodeName = "metadata.name";

struct Tolerated {
  std::string_view key, effect;
};
/// A daemon looks after a node that is in trouble, too.
constexpr std::array kTolerated{Tolerated{"node.kubernetes.io/not-ready", "NoExecute"},
                                Tolerated{"node.kubernetes.io/unreachable", "NoExecute"},
                                Tolerated{"node.kubernetes.io/disk-pressure", "NoSchedule"},
                                Tolerated{"node.kubernetes.io/memory-pressure", "NoSchedule"},
                                Tolerated{"node.kubernetes.io/pid-pressure", "NoSchedule"},
                                Tolerated{cluster::kUnschedulableTaint, "NoSchedule"}};
constexpr Tolerated kOnHostNetwork{"node.kubernetes.io/network-unavailable", "NoSchedule"};

bool meets(const doc::Value& requirement, const doc::Value& labels) {
  const doc::Value* found = doc::find(labels, doc::find_string(requirement, "key"));
  const auto operation = doc::find_string(requirement, "operator");
  if (operation == "Exists") return found;
  if (operation == "DoesNotExist") return !found;
  const doc::Array& values = list_at(requirement, "values");
  const bool listed = found && std::ranges::find(values, *found) != values.end();
  if (operation == "In") return listed;
  if (operation == "NotIn") return !listed;
  if (!found || values.size() != 1) return false;
  const auto have = whole_number(doc::scalar_text(*found)), limit = whole_number(doc::scalar_text(values[0]));
  if (!have || !limit) return false;
  return operation == "Gt" ? *have > *limit : operation == "Lt" && *have < *limit;
}

bool meets_all(const doc::Array& requirements, const doc::Value& labels) {
  return std::ranges::all_of(requirements, [&](const doc::Value& one) { return meets(one, labels); });
}

const doc::Value& required_affinity(const doc::Value& pod_spec) {
  return value_at(pod_spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
}

bool is_chosen(const doc::Value& node, const doc::Value& pod_spec) {
  const doc::Value& labels = value_at(node, "metadata", "labels");
  if (const doc::Value& selector = value_at(pod_spec, "nodeSelector"); selector.is_object()) {
    for (const auto& [key, value] : selector.get_object()) {
      const doc::Value* found = doc::find(labels, key);
      if (!found || *found != value) return false;
    }
  }
  const doc::Value& required = required_affinity(pod_spec);
  if (required.is_null()) return true;
  const doc::Value fields = doc::Object{{kNodeName, name_of(node)}};
  return std::ranges::any_of(list_at(required, "nodeSelectorTerms"), [&](const doc::Value& term) {
    const doc::Array& expressions = list_at(term, "matchExpressions");
    const doc::Array& of_fields = list_at(term, "matchFields");
    // One that asks for nothing chooses nothing.
    if (expressions.empty() && of_fields.empty()) return false;
    return meets_all(expressions, labels) && meets_all(of_fields, fields);
  });
}

bool is_tolerated(const doc::Value& taint, const doc::Value& pod_spec) {
  const auto matches = [&](const Tolerated& one) {
    return one.key == doc::find_string(taint, "key") && one.effect == doc::find_string(taint, "effect");
  };
  if (std::ranges::any_of(kTolerated, matches)) return true;
  if (is_true_at(pod_spec, "hostNetwork") && matches(kOnHostNetwork)) return true;
  return cluster::pod_tolerates(pod_spec, taint);
}

doc::Value toleration(const Tolerated& one) {
  return doc::Object{{"key", one.key}, {"operator", "Exists"}, {"effect", one.effect}};
}

}  // namespace

NodeFit node_fit(const doc::Value& node, const doc::Value& pod_spec) {
  const auto wanted = doc::find_string(pod_spec, "nodeName");
  if (!wanted.empty() && wanted != name_of(node)) return {};
  if (!is_chosen(node, pod_spec)) return {};
  NodeFit fit{.runs = true, .stays = true};
  for (const doc::Value& taint : list_at(node, "spec", "taints")) {
    if (!cluster::is_hard(taint) || is_tolerated(taint, pod_spec)) continue;
    fit.runs = false;
    fit.stays = fit.stays && doc::find_string(taint, "effect") != "NoExecute";
  }
  return fit;
}

void bind_to_node(doc::Object& pod_spec, std::string_view node_name) {
  const bool on_host = is_true_at(doc::Value(pod_spec), "hostNetwork");
  doc::Value& tolerations = pod_spec["tolerations"];
  if (!tolerations.is_array()) tolerations = doc::Array();
  const auto add = [&](const Tolerated& one) {
    const doc::Value wanted = toleration(one);
    doc::Array& list = tolerations.get_array();
    if (std::ranges::find(list, wanted) == list.end()) list.push_back(wanted);
  };
  std::ranges::for_each(kTolerated, add);
  if (on_host) add(kOnHostNetwork);
  const doc::Object requirement{{"key", kNodeName}, {"operator", "In"}, {"values", doc::Array{doc::Value(node_name)}}};
  const doc::Array terms{doc::Object{{"matchFields", doc::Array{requirement}}}};
  doc::Object& affinity = doc::ensure_object(doc::ensure_object(pod_spec, "affinity"), "nodeAffinity");
  affinity["requiredDuringSchedulingIgnoredDuringExecution"] = doc::Object{{"nodeSelectorTerms", terms}};
}

std::string_view target_node(const doc::Value& pod) {
  if (const auto bound = doc::find_string(pod, "spec", "nodeName"); !bound.empty()) return bound;
  for (const doc::Value& term : list_at(required_affinity(value_at(pod, "spec")), "nodeSelectorTerms")) {
    for (const doc::Value& requirement : list_at(term, "matchFields")) {
      const doc::Array& values = list_at(requirement, "values");
      const bool names_one = doc::find_string(requirement, "key") == kNodeName &&
                             doc::find_string(requirement, "operator") == "In" && values.size() == 1;
      if (names_one && values[0].is_string()) return values[0].get_string();
    }
  }
  return {};
}

}  // namespace tiphys::controllers::workloads
