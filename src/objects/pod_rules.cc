#include "objects/pod_rules.h"

#include <algorithm>
#include <array>

#include "base/quantity.h"
#include "cluster/pod_phase.h"
#include "objects/pod_spec_rules.h"
#include "objects/pod_warnings.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

constexpr std::int64_t kSecondsOnLostNode = 300;
constexpr std::array<std::string_view, 2> kLostNode{"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"};
constexpr std::array<std::string_view, 2> kShared{"cpu", "memory"};

template <typename Visit>
void each_container(doc::Object& spec, Visit&& visit) {
  for (const char* list : {"containers", "initContainers"}) {
    doc::Value* containers = spec.if_contains(list);
    if (!containers || !containers->is_array()) continue;
    for (doc::Value& container : containers->get_array()) {
      if (container.is_object()) visit(container.get_object());
    }
  }
}

/// What is limited is also asked for.
void fill_requests(doc::Object& container) {
  doc::Value* resources = container.if_contains("resources");
  const doc::Value* limits = resources ? doc::find(*resources, "limits") : nullptr;
  if (!limits || !limits->is_object() || limits->get_object().empty()) return;
  const doc::Object asked = limits->get_object();
  doc::Object& requests = doc::ensure_object(resources->get_object(), "requests");
  for (const auto& [name, quantity] : asked) fill_in(requests, name, quantity);
}

/// In the node's network a port is the node's.
void fill_host_ports(doc::Object& container) {
  doc::Value* ports = container.if_contains("ports");
  if (!ports || !ports->is_array()) return;
  for (doc::Value& port : ports->get_array()) {
    const doc::Value* number = doc::find(port, "containerPort");
    if (!number || !number->is_int64()) continue;
    const doc::Value same = *number;
    fill_in(port.get_object(), "hostPort", same);
  }
}

/// A pod stays a while on a node that is lost.
void fill_tolerations(doc::Object& spec) {
  doc::Value& list = spec["tolerations"];
  if (!list.is_array()) list.emplace_array();
  for (const std::string_view key : kLostNode) {
    const bool known = std::ranges::any_of(list.get_array(), [&](const doc::Value& one) {
      const auto of = doc::find_string(one, "key"), effect = doc::find_string(one, "effect");
      return (of == key || of.empty()) && (effect == "NoExecute" || effect.empty());
    });
    if (known) continue;
    list.get_array().push_back(doc::Object{
        {"key", key}, {"operator", "Exists"}, {"effect", "NoExecute"}, {"tolerationSeconds", kSecondsOnLostNode}});
  }
}

void fill_priority(doc::Object& spec) {
  const doc::Value* name = spec.if_contains("priorityClassName");
  const std::string_view of = name && name->is_string() ? std::string_view(name->get_string()) : std::string_view();
  std::int64_t priority = 0;
  if (of == "system-cluster-critical") priority = 2000000000;
  if (of == "system-node-critical") priority = 2000001000;
  if (!of.empty() && priority == 0) return;
  fill_in(spec, "priority", priority);
  fill_in(spec, "preemptionPolicy", "PreemptLowerPriority");
}

/// How a node treats the pod when there is too little for all.
std::string_view quality_of(doc::Object& spec) {
  bool asks = false, guaranteed = true;
  each_container(spec, [&](doc::Object& container) {
    const doc::Value value(container);
    for (const std::string_view name : kShared) {
      const doc::Value* limit = doc::find(value, "resources", "limits", name);
      const doc::Value* request = doc::find(value, "resources", "requests", name);
      const double most = limit ? parse_quantity(doc::scalar_text(*limit)).value_or(0) : 0;
      const double asked = request ? parse_quantity(doc::scalar_text(*request)).value_or(0) : 0;
      asks = asks || most > 0 || asked > 0;
      guaranteed = guaranteed && most > 0 && most == asked;
    }
  });
  if (!asks) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

/// What Kubernetes' admission and its API server add to a pod that is made.
void fill_new_pod(doc::Object& pod) {
  doc::Object& spec = doc::ensure_object(pod, "spec");
  each_container(spec, fill_requests);
  if (spec.contains("hostNetwork") && spec["hostNetwork"] == true) each_container(spec, fill_host_ports);
  fill_priority(spec);
  doc::Object status{{"phase", "Pending"}};
  if (cluster::pod_gated(doc::Value(pod))) {
    status["conditions"] =
        doc::Array{doc::Object{{"type", "PodScheduled"},
                               {"status", "False"},
                               {"reason", "SchedulingGated"},
                               {"message", "Scheduling is blocked due to non-empty scheduling gates"}}};
  }
  status["qosClass"] = quality_of(spec);
  pod["status"] = std::move(status);
}

void fill_pod(doc::Object& pod) {
  fill_pod_spec(doc::ensure_object(pod, "spec"));
  fill_in(pod["spec"].get_object(), "enableServiceLinks", true);
  fill_tolerations(pod["spec"].get_object());
  // Only a pod that is made has no status.
  if (!pod.contains("status")) fill_new_pod(pod);
}

void check_pod(const doc::Value& pod, FieldErrors& errors) {
  check_pod_spec(spec_of(pod), Path().field("spec"), errors);
}

std::size_t count_of(const doc::Value& spec, std::string_view list) {
  const doc::Value* found = doc::find(spec, list);
  return found && found->is_array() ? found->get_array().size() : 0;
}

void check_new_pod(const doc::Value& pod, FieldErrors& errors) {
  if (count_of(spec_of(pod), "ephemeralContainers") == 0) return;
  errors.push_back(schema::forbidden("spec.ephemeralContainers", "cannot be set on create"));
}

/// A copy of a spec without what may be changed.
doc::Value fixed_part(const doc::Value& pod) {
  doc::Value spec = spec_of(pod);
  for (const char* free : {"activeDeadlineSeconds", "tolerations", "schedulingGates"}) {
    spec.get_object().erase(free);
  }
  // A pod that no node has yet may be told more about where to run.
  if (cluster::pod_gated(pod)) {
    for (const char* free : {"nodeSelector", "affinity"}) spec.get_object().erase(free);
  }
  each_container(spec.get_object(), [](doc::Object& container) { container.erase("image"); });
  return spec;
}

void check_deadline(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const doc::Value* old = doc::find(before, "activeDeadlineSeconds");
  const doc::Value* now = doc::find(after, "activeDeadlineSeconds");
  if (!old || !old->is_int64()) return;
  if (!now) {
    errors.push_back(schema::invalid("spec.activeDeadlineSeconds", doc::Value(),
                                     "must not update from a positive integer to nil value"));
  } else if (now->is_int64() && now->get_int64() > old->get_int64()) {
    errors.push_back(
        schema::invalid("spec.activeDeadlineSeconds", *now, "must be less than or equal to previous value"));
  }
}

void check_gates(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const doc::Value* old = doc::find(before, "schedulingGates");
  const doc::Value* now = doc::find(after, "schedulingGates");
  if (!now || !now->is_array()) return;
  for (const doc::Value& gate : now->get_array()) {
    const bool known = old && old->is_array() && std::ranges::find(old->get_array(), gate) != old->get_array().end();
    if (known) continue;
    errors.push_back(
        schema::forbidden("spec.schedulingGates", "only deletion is allowed, but found new scheduling gate '" +
                                                      std::string(doc::find_string(gate, "name")) + "'"));
  }
}

void check_tolerations(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const doc::Value* old = doc::find(before, "tolerations");
  const doc::Value* now = doc::find(after, "tolerations");
  if (!old || !old->is_array()) return;
  for (const doc::Value& one : old->get_array()) {
    const bool kept = now && now->is_array() && std::ranges::find(now->get_array(), one) != now->get_array().end();
    if (kept) continue;
    return errors.push_back(
        schema::forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"));
  }
}

void check_pod_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const doc::Value &old = spec_of(before), &now = spec_of(after);
  for (const std::string_view list : {"containers", "initContainers"}) {
    if (count_of(old, list) == count_of(now, list)) continue;
    const Path root;
    const Path spec = root.field("spec");
    return errors.push_back(schema::forbidden(spec.field(list).text(), "pod updates may not add or remove containers"));
  }
  check_deadline(old, now, errors);
  check_tolerations(old, now, errors);
  check_gates(old, now, errors);
  if (!errors.empty() || fixed_part(before) == fixed_part(after)) return;
  errors.push_back(schema::forbidden(
      "spec",
      "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
      "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
      "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"));
}

}  // namespace

const KindRules kPodRules{.fill = fill_pod,
                          .check = check_pod,
                          .check_update = check_pod_update,
                          .check_new = check_new_pod,
                          .warn = warn_of_new_pod};

}  // namespace tiphys::objects
