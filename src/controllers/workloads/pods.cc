#include "controllers/workloads/pods.h"

#include <algorithm>

#include "cluster/pod_phase.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"

namespace tiphys::controllers::workloads {
namespace {

int phase_rank(const doc::Value& pod) {
  const auto phase = doc::find_string(pod, "status", "phase");
  return phase == "Running" ? 2 : phase == "Pending" || phase.empty() ? 0 : 1;
}

std::int64_t restarts(const doc::Value& pod) {
  std::int64_t most = 0;
  for (const doc::Value& status : list_at(pod, "status", "containerStatuses")) {
    most = std::max(most, number_at(status, "restartCount").value_or(0));
  }
  return most;
}

std::int64_t deletion_cost(const doc::Value& pod) {
  const auto text = doc::find_string(pod, "metadata", "annotations", "controller.kubernetes.io/pod-deletion-cost");
  return std::strtoll(std::string(text).c_str(), nullptr, 10);
}

Time ready_since(const doc::Value& pod) {
  const doc::Value* condition = cluster::pod_ready_condition(pod);
  return condition ? time_at(*condition, "lastTransitionTime").value_or(Time{}) : Time{};
}

void latest_end(const doc::Array& statuses, Time& latest) {
  for (const doc::Value& status : statuses) {
    if (const auto at = time_at(status, "state", "terminated", "finishedAt")) latest = std::max(latest, *at);
  }
}

}  // namespace

bool is_ready(const doc::Value& pod) {
  return cluster::pod_ready(pod);
}

bool is_available(const doc::Value& pod, Duration at_least, Time now) {
  if (!is_ready(pod)) return false;
  return at_least == Duration{} || ready_since(pod) + at_least <= now;
}

bool is_active(const doc::Value& pod) {
  return !cluster::pod_ended(pod) && !is_deleting(pod);
}

bool is_terminating(const doc::Value& pod) {
  return !cluster::pod_ended(pod) && is_deleting(pod);
}

Time finished_at(const doc::Value& pod) {
  Time latest{};
  latest_end(list_at(pod, "status", "containerStatuses"), latest);
  if (latest == Time{}) latest_end(list_at(pod, "status", "initContainerStatuses"), latest);
  if (latest == Time{}) latest = ready_since(pod);
  if (latest == Time{}) latest = time_at(pod, "metadata", "deletionTimestamp").value_or(Time{});
  if (latest == Time{}) latest = time_at(pod, "metadata", "creationTimestamp").value_or(Time{});
  return latest;
}

doc::Object pod_of(const doc::Value& pod_template, const cluster::Resource& owner_kind, const doc::Value& owner) {
  doc::Object metadata{{"namespace", namespace_of(owner)}, {"generateName", name_of(owner) + "-"}};
  for (const char* member : {"labels", "annotations", "finalizers"}) {
    const doc::Value& given = value_at(pod_template, "metadata", member);
    if (!given.is_null()) metadata[member] = given;
  }
  metadata["ownerReferences"] = doc::Array{controller_reference(owner_kind, owner)};
  doc::Object pod{{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}};
  pod["spec"] = value_at(pod_template, "spec");
  doc::Object& spec = doc::ensure_object(pod, "spec");
  if (!spec.contains("enableServiceLinks")) spec["enableServiceLinks"] = true;
  return pod;
}

bool goes_before(const doc::Value& one, const doc::Value& other) {
  const bool bound = !doc::find_string(one, "spec", "nodeName").empty();
  const bool other_bound = !doc::find_string(other, "spec", "nodeName").empty();
  if (bound != other_bound) return !bound;
  if (phase_rank(one) != phase_rank(other)) return phase_rank(one) < phase_rank(other);
  if (is_ready(one) != is_ready(other)) return !is_ready(one);
  if (deletion_cost(one) != deletion_cost(other)) return deletion_cost(one) < deletion_cost(other);
  if (is_ready(one) && ready_since(one) != ready_since(other)) return ready_since(one) > ready_since(other);
  if (restarts(one) != restarts(other)) return restarts(one) > restarts(other);
  const auto made = doc::find_string(one, "metadata", "creationTimestamp");
  const auto other_made = doc::find_string(other, "metadata", "creationTimestamp");
  if (made != other_made) return made > other_made;
  return name_of(one) < name_of(other);
}

}  // namespace tiphys::controllers::workloads
