#include "objects/eviction.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cluster/disruption_budget.h"
#include "cluster/pod_phase.h"

namespace tiphys::objects {
namespace {

/// Evictions that nobody has seen to yet; more would be a fault.
constexpr std::size_t kMostDisrupted = 2000;
constexpr int kRetryAfterSeconds = 10;

std::int64_t number(const doc::Value& object, std::string_view part, std::string_view member) {
  const doc::Value* found = doc::find(object, part, member);
  return found && found->is_int64() ? found->get_int64() : 0;
}

std::string_view name_of(const doc::Value& object) {
  return doc::find_string(object, "metadata", "name");
}

Refusal too_many_requests(const std::string& cause, int retry_after) {
  Refusal refusal{429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."};
  refusal.details["causes"] = doc::Array{doc::Object{{"reason", "DisruptionBudget"}, {"message", cause}}};
  if (retry_after > 0) refusal.details["retryAfterSeconds"] = retry_after;
  return refusal;
}

/// What does not run, or is going anyway, is no disruption.
bool is_no_disruption(const doc::Value& pod) {
  return cluster::pod_ended(pod) || doc::find_string(pod, "status", "phase") == "Pending" ||
         !doc::find_string(pod, "metadata", "deletionTimestamp").empty();
}

/// A pod that is not healthy is not counted, and may go where its budget is met without it or does not mind.
bool may_go_unhealthy(const doc::Value& pod, const doc::Value& budget) {
  if (cluster::pod_ready(pod)) return false;
  if (doc::find_string(budget, "spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow") return true;
  const std::int64_t desired = number(budget, "status", "desiredHealthy");
  return desired > 0 && number(budget, "status", "currentHealthy") >= desired;
}

Refusal forbidden_by(const doc::Value& budget, std::string_view why) {
  Refusal refusal{403, "Forbidden",
                  fmt::format("poddisruptionbudget.policy \"{}\" is forbidden: {}", name_of(budget), why)};
  refusal.details = {{"name", name_of(budget)}, {"group", "policy"}, {"kind", "poddisruptionbudget"}};
  return refusal;
}

}  // namespace

Outcome<void> check_eviction(const doc::Value& body, std::string_view pod) {
  const auto kind = doc::find_string(body, "kind");
  const auto version = doc::find_string(body, "apiVersion");
  const bool is_version = version.empty() || version == "policy/v1" || version == "policy/v1beta1";
  if (!body.is_object() || (!kind.empty() && kind != "Eviction") || !is_version) {
    return std::unexpected(bad_request("the body must be an Eviction of policy/v1"));
  }
  if (name_of(body) == pod) return {};
  return std::unexpected(bad_request("name in URL does not match name in Eviction object"));
}

Outcome<cluster::Object> counting_budget(const doc::Value& pod, std::span<const cluster::Object> budgets) {
  cluster::Object found;
  if (is_no_disruption(pod)) return found;
  for (const cluster::Object& budget : budgets) {
    if (!cluster::is_budget_of(*budget, pod)) continue;
    if (found) {
      return std::unexpected(Refusal{
          500, "", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."});
    }
    found = budget;
  }
  if (found && may_go_unhealthy(pod, *found)) found.reset();
  return found;
}

Outcome<doc::Value> count_disruption(const doc::Value& budget, std::string_view pod, Time now) {
  const std::int64_t allowed = number(budget, "status", "disruptionsAllowed");
  if (number(budget, "status", "observedGeneration") < number(budget, "metadata", "generation")) {
    return std::unexpected(too_many_requests(
        fmt::format("The disruption budget {} is still being processed by the server.", name_of(budget)),
        kRetryAfterSeconds));
  }
  if (allowed < 0) return std::unexpected(forbidden_by(budget, "pdb disruptions allowed is negative"));
  const doc::Value* disrupted = doc::find(budget, "status", "disruptedPods");
  if (disrupted && disrupted->is_object() && disrupted->get_object().size() > kMostDisrupted) {
    return std::unexpected(
        forbidden_by(budget, "DisruptedPods map too big - too many evictions not confirmed by PDB controller"));
  }
  if (allowed == 0) {
    return std::unexpected(too_many_requests(
        fmt::format("The disruption budget {} needs {} healthy pods and has {} currently", name_of(budget),
                    number(budget, "status", "desiredHealthy"), number(budget, "status", "currentHealthy")),
        0));
  }
  doc::Value counted = budget;
  doc::Object& status = doc::ensure_object(counted.get_object(), "status");
  status["disruptionsAllowed"] = allowed - 1;
  if (allowed == 1) cluster::set_disruption_condition(status, now);
  doc::ensure_object(status, "disruptedPods")[pod] = format_rfc3339(now);
  return counted;
}

doc::Value mark_evicted(const doc::Value& pod, Time now) {
  constexpr std::string_view kType = "DisruptionTarget";
  doc::Value marked = pod;
  doc::Object& status = doc::ensure_object(marked.get_object(), "status");
  doc::Array conditions;
  if (const doc::Value* present = doc::find(pod, "status", "conditions"); present && present->is_array()) {
    std::ranges::copy_if(present->get_array(), std::back_inserter(conditions),
                         [&](const doc::Value& one) { return doc::find_string(one, "type") != kType; });
  }
  conditions.push_back(doc::Object{{"type", kType},
                                   {"status", "True"},
                                   {"lastProbeTime", nullptr},
                                   {"lastTransitionTime", format_rfc3339(now)},
                                   {"reason", "EvictionByEvictionAPI"},
                                   {"message", "Eviction API: evicting"}});
  status["conditions"] = std::move(conditions);
  return marked;
}

}  // namespace tiphys::objects
