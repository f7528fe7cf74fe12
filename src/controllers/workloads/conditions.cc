#include "controllers/workloads/conditions.h"

#include <algorithm>

#include "controllers/workloads/fields.h"

namespace tiphys::controllers::workloads {

const doc::Value* find_condition(const doc::Value& status, std::string_view type) {
  const doc::Array& all = list_at(status, "conditions");
  const auto found =
      std::ranges::find_if(all, [&](const doc::Value& one) { return doc::find_string(one, "type") == type; });
  return found == all.end() ? nullptr : &*found;
}

bool holds(const doc::Value& status, std::string_view type) {
  const doc::Value* found = find_condition(status, type);
  return found && doc::find_string(*found, "status") == "True";
}

bool set_condition(doc::Object& status, const Condition& condition, ConditionStamp stamp, Time now) {
  doc::Value& list = status["conditions"];
  if (!list.is_array()) list = doc::Array();
  doc::Array& all = list.get_array();
  const auto known =
      std::ranges::find_if(all, [&](const doc::Value& one) { return doc::find_string(one, "type") == condition.type; });
  const std::string_view value = condition.holds ? "True" : "False";
  std::string since = format_rfc3339(now);
  if (known != all.end()) {
    const bool same = doc::find_string(*known, "status") == value;
    if (same && doc::find_string(*known, "reason") == condition.reason &&
        doc::find_string(*known, "message") == condition.message) {
      return false;
    }
    if (same) since = doc::find_string(*known, "lastTransitionTime");
  }
  doc::Object made{{"type", condition.type}, {"status", value}};
  if (stamp == ConditionStamp::kProbe) made["lastProbeTime"] = format_rfc3339(now);
  if (stamp == ConditionStamp::kUpdate) made["lastUpdateTime"] = format_rfc3339(now);
  made["lastTransitionTime"] = since;
  if (!condition.reason.empty()) made["reason"] = condition.reason;
  if (!condition.message.empty()) made["message"] = condition.message;
  if (known == all.end()) {
    all.push_back(std::move(made));
  } else {
    *known = std::move(made);
  }
  return true;
}

}  // namespace tiphys::controllers::workloads
