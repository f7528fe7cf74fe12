#include "controllers/workloads/pod_failure_policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "controllers/workloads/fields.h"

namespace tiphys::controllers::workloads {
namespace {

/// The first container that ended as the rule says; nullptr when none did.
const doc::Value* matching_container(const doc::Array& statuses, const doc::Value& rule) {
  const bool in = doc::find_string(rule, "operator") == "In";
  const auto name = doc::find_string(rule, "containerName");
  for (const doc::Value& status : statuses) {
    const auto code = number_at(status, "state", "terminated", "exitCode");
    if (!code || *code == 0) continue;
    if (!name.empty() && name != doc::find_string(status, "name")) continue;
    const doc::Array& values = list_at(rule, "values");
    const bool listed = std::ranges::any_of(
        values, [&](const doc::Value& value) { return value.is_int64() && value.get_int64() == *code; });
    if (listed == in) return &status;
  }
  return nullptr;
}

const doc::Value* matching_container(const doc::Value& pod, const doc::Value& rule) {
  if (const auto* found = matching_container(list_at(pod, "status", "containerStatuses"), rule)) return found;
  return matching_container(list_at(pod, "status", "initContainerStatuses"), rule);
}

std::string_view matching_condition(const doc::Value& pod, const doc::Array& patterns) {
  for (const doc::Value& condition : list_at(pod, "status", "conditions")) {
    for (const doc::Value& pattern : patterns) {
      if (doc::find_string(condition, "type") == doc::find_string(pattern, "type") &&
          doc::find_string(condition, "status") == doc::find_string(pattern, "status")) {
        return doc::find_string(condition, "type");
      }
    }
  }
  return {};
}

/// Why a rule matches; "" when it does not.
std::string match(const doc::Value& rule, const doc::Value& pod) {
  const std::string name = fmt::format("{}/{}", namespace_of(pod), name_of(pod));
  if (const doc::Value& codes = value_at(rule, "onExitCodes"); !codes.is_null()) {
    const doc::Value* container = matching_container(pod, codes);
    if (!container) return {};
    return fmt::format("Container {} for pod {} failed with exit code {}", doc::find_string(*container, "name"), name,
                       number_at(*container, "state", "terminated", "exitCode").value_or(0));
  }
  const auto condition = matching_condition(pod, list_at(rule, "onPodConditions"));
  return condition.empty() ? std::string() : fmt::format("Pod {} has condition {}", name, condition);
}

}  // namespace

FailureVerdict judge_failure(const doc::Value& policy, const doc::Value& pod) {
  std::size_t index = 0;
  for (const doc::Value& rule : list_at(policy, "rules")) {
    const std::size_t at = index++;
    const std::string why = match(rule, pod);
    if (why.empty()) continue;
    const auto action = doc::find_string(rule, "action");
    if (action == "Ignore") return {.counts = false};
    if (action == "FailJob") {
      return {.fails_job = fmt::format("{} matching FailJob rule at index {}", why, at)};
    }
    return {};
  }
  return {};
}

}  // namespace tiphys::controllers::workloads
