#include "controllers/workloads/replica_set_plan.h"

#include <algorithm>

#include "cluster/pod_phase.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/pods.h"
#include "controllers/workloads/selection.h"

namespace tiphys::controllers::workloads {
namespace {

constexpr std::int64_t kMostPodsAtOnce = 500;
constexpr Duration kFirstBrake = std::chrono::seconds(10);
constexpr Duration kLongestBrake = std::chrono::minutes(5);

/// Pods that end at once (the machine can never have room for them) are not replaced in a rush. Kubernetes leaves such
/// pods pending; here they fail.
Time braked_until(const std::vector<cluster::Object>& pods) {
  int failures = 0;
  Time last{};
  for (const auto& pod : pods) {
    if (doc::find_string(*pod, "status", "phase") != "Failed" || is_deleting(*pod)) continue;
    ++failures;
    last = std::max(last, finished_at(*pod));
  }
  if (failures == 0) return {};
  return last + (failures > 5 ? kLongestBrake : std::min(kFirstBrake * (1 << (failures - 1)), kLongestBrake));
}

void count(const doc::Value& replica_set, const std::vector<cluster::Object>& active, Time now, ReplicaSetPlan& plan) {
  const Duration at_least = std::chrono::seconds(number_at(replica_set, "spec", "minReadySeconds").value_or(0));
  const doc::Value template_labels = value_at(replica_set, "spec", "template", "metadata", "labels");
  const doc::Value whole_template = doc::Object{{"matchLabels", template_labels}};
  std::int64_t labelled = 0, ready = 0, available = 0;
  for (const auto& pod : active) {
    if (selects(whole_template, value_at(*pod, "metadata", "labels"))) ++labelled;
    if (!is_ready(*pod)) continue;
    ++ready;
    if (is_available(*pod, at_least, now)) {
      ++available;
    } else {
      const Time due = now + at_least;
      plan.look_again = plan.look_again ? std::min(*plan.look_again, due) : due;
    }
  }
  plan.status["replicas"] = static_cast<std::int64_t>(active.size());
  const auto put = [&](const char* member, std::int64_t number) {
    if (number == 0) {
      plan.status.erase(member);
    } else {
      plan.status[member] = number;
    }
  };
  put("fullyLabeledReplicas", labelled);
  put("readyReplicas", ready);
  put("availableReplicas", available);
  plan.status["observedGeneration"] = number_at(replica_set, "metadata", "generation").value_or(1);
}

}  // namespace

ReplicaSetPlan plan_replica_set(const cluster::Resource& kind, const doc::Value& replica_set,
                                const std::vector<cluster::Object>& pods, Time now) {
  ReplicaSetPlan plan;
  if (const doc::Value& status = value_at(replica_set, "status"); status.is_object()) plan.status = status.get_object();
  std::vector<cluster::Object> active;
  std::ranges::copy_if(pods, std::back_inserter(active), [](const auto& pod) { return is_active(*pod); });
  const std::int64_t wanted = number_at(replica_set, "spec", "replicas").value_or(1);
  const std::int64_t missing = wanted - static_cast<std::int64_t>(active.size());
  if (!is_deleting(replica_set) && missing > 0) {
    if (const Time due = braked_until(pods); due > now) {
      plan.look_again = due;
    } else {
      for (std::int64_t i = 0; i < std::min(missing, kMostPodsAtOnce); ++i) {
        plan.create.emplace_back(pod_of(value_at(replica_set, "spec", "template"), kind, replica_set));
      }
    }
  } else if (!is_deleting(replica_set) && missing < 0) {
    plan.remove = active;
    std::ranges::sort(plan.remove, [](const auto& one, const auto& other) { return goes_before(*one, *other); });
    plan.remove.resize(static_cast<std::size_t>(std::min(-missing, kMostPodsAtOnce)));
  }
  count(replica_set, active, now, plan);
  return plan;
}

}  // namespace tiphys::controllers::workloads
