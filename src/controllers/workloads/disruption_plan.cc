#include "controllers/workloads/disruption_plan.h"

#include <algorithm>
#include <charconv>

#include "cluster/disruption_budget.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/pods.h"

namespace tiphys::controllers::workloads {
namespace {

/// After that a pod that was evicted is not expected to go any more.
constexpr Duration kDeletionTimeout = std::chrono::minutes(2);

/// A number, or the share of a whole that a percentage says, rounded up.
std::int64_t share_of(const doc::Value& share, std::int64_t whole) {
  if (share.is_int64()) return share.get_int64();
  const std::string text = doc::scalar_text(share);
  std::int64_t percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  return (percent * whole + 99) / 100;
}

struct Counts {
  std::int64_t expected = 0, desired = 0;
};

Counts count(const doc::Value& budget, std::int64_t pods, std::int64_t wanted) {
  if (const doc::Value& most = value_at(budget, "spec", "maxUnavailable"); !most.is_null()) {
    return {wanted, std::max<std::int64_t>(0, wanted - share_of(most, wanted))};
  }
  const doc::Value& least = value_at(budget, "spec", "minAvailable");
  if (least.is_null()) return {};
  if (least.is_int64()) return {pods, least.get_int64()};
  return {wanted, share_of(least, wanted)};
}

}  // namespace

bool counts_wanted(const doc::Value& budget) {
  return !value_at(budget, "spec", "maxUnavailable").is_null() || value_at(budget, "spec", "minAvailable").is_string();
}

DisruptionPlan plan_disruptions(const doc::Value& budget, const std::vector<cluster::Object>& pods,
                                const WantedPods& wanted, Time now) {
  DisruptionPlan plan;
  doc::Object disrupted;
  std::int64_t healthy = 0;
  for (const cluster::Object& pod : pods) {
    if (is_deleting(*pod)) continue;
    const std::string name = name_of(*pod);
    const auto evicted = time_at(budget, "status", "disruptedPods", name);
    if (evicted && *evicted + kDeletionTimeout > now) {
      disrupted[name] = format_rfc3339(*evicted);
      const Time then = *evicted + kDeletionTimeout;
      if (!plan.look_again || then < *plan.look_again) plan.look_again = then;
      continue;
    }
    if (evicted) plan.not_deleted.push_back(pod);
    if (is_ready(*pod)) ++healthy;
  }
  const Counts counts = count(budget, static_cast<std::int64_t>(pods.size()), wanted.count);
  const std::int64_t allowed = counts.expected > 0 ? std::max<std::int64_t>(0, healthy - counts.desired) : 0;
  if (const auto generation = number_at(budget, "metadata", "generation")) {
    plan.status["observedGeneration"] = *generation;
  }
  if (!disrupted.empty()) plan.status["disruptedPods"] = std::move(disrupted);
  plan.status["disruptionsAllowed"] = allowed;
  plan.status["currentHealthy"] = healthy;
  plan.status["desiredHealthy"] = counts.desired;
  plan.status["expectedPods"] = counts.expected;
  if (const doc::Array& conditions = list_at(budget, "status", "conditions"); !conditions.empty()) {
    plan.status["conditions"] = conditions;
  }
  cluster::set_disruption_condition(plan.status, now);
  return plan;
}

doc::Object failed_disruptions(const doc::Value& budget, std::string_view why, Time now) {
  const doc::Value& before = value_at(budget, "status");
  doc::Object status = before.is_object() ? before.get_object() : doc::Object();
  cluster::set_disruption_failure(status, why, now);
  return status;
}

}  // namespace tiphys::controllers::workloads
