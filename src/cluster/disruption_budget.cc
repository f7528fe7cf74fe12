#include "cluster/disruption_budget.h"

#include <algorithm>

#include "cluster/selector.h"

namespace tiphys::cluster {
namespace {

struct Verdict {
  bool allowed;
  std::string_view reason, message;
};

void set_condition(doc::Object& status, const Verdict& verdict, Time now) {
  constexpr std::string_view kType = "DisruptionAllowed";
  const std::string_view value = verdict.allowed ? "True" : "False";
  doc::Object made{{"type", kType}, {"status", value}};
  if (const doc::Value* generation = status.if_contains("observedGeneration")) made["observedGeneration"] = *generation;
  made["lastTransitionTime"] = format_rfc3339(now);
  made["reason"] = verdict.reason;
  made["message"] = verdict.message;
  doc::Value& list = status["conditions"];
  if (!list.is_array()) list = doc::Array();
  doc::Array& all = list.get_array();
  const auto known =
      std::ranges::find_if(all, [&](const doc::Value& one) { return doc::find_string(one, "type") == kType; });
  if (known == all.end()) return all.push_back(std::move(made));
  const doc::Value* since = doc::find(*known, "lastTransitionTime");
  if (since && doc::find_string(*known, "status") == value) made["lastTransitionTime"] = *since;
  *known = std::move(made);
}

}  // namespace

bool is_budget_of(const doc::Value& budget, const doc::Value& pod) {
  const doc::Value* given = doc::find(budget, "spec", "selector");
  if (!given || given->is_null()) return false;
  const auto selector = Selector::from_label_selector(*given);
  return selector && selector->matches_labels(pod);
}

void set_disruption_condition(doc::Object& status, Time now) {
  const doc::Value* allowed = status.if_contains("disruptionsAllowed");
  const bool some = allowed && allowed->is_int64() && allowed->get_int64() > 0;
  set_condition(status, {some, some ? "SufficientPods" : "InsufficientPods", ""}, now);
}

void set_disruption_failure(doc::Object& status, std::string_view message, Time now) {
  status["disruptionsAllowed"] = 0;
  set_condition(status, {false, "SyncFailed", message}, now);
}

}  // namespace tiphys::cluster
