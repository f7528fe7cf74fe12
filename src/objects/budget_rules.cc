#include "objects/budget_rules.h"

#include "objects/pod_spec_parts.h"
#include "objects/selector_rules.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

void fill_budget(doc::Object& budget) {
  doc::ensure_object(budget, "spec");
  doc::Object& status = doc::ensure_object(budget, "status");
  // Clients compare these numbers; Kubernetes writes each, zero or not.
  for (const char* count : {"disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"}) {
    fill_in(status, count, 0);
  }
}

void check_condition(const doc::Value& condition, const Path& at, FieldErrors& errors) {
  const auto type = doc::find_string(condition, "type");
  complain(doc::Value(type), at.field("type"), qualified_name(type), errors);
  const auto value = doc::find_string(condition, "status");
  if (value != "True" && value != "False" && value != "Unknown") {
    errors.push_back(schema::not_supported(at.field("status").text(), doc::Value(value), {"False", "True", "Unknown"}));
  }
  for (const char* member : {"lastTransitionTime", "reason"}) {
    if (doc::find_string(condition, member).empty()) errors.push_back(schema::required(at.field(member).text()));
  }
}

void check_status(const doc::Value& budget, const Path& at, FieldErrors& errors) {
  const doc::Value* status = doc::find(budget, "status");
  if (!status) return;
  each_element(*status, "conditions", at,
               [&](const doc::Value& one, const Path& here) { check_condition(one, here, errors); });
  for (const char* count : {"disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"}) {
    check_not_negative(*status, at, count, errors);
  }
}

void check_budget(const doc::Value& budget, FieldErrors& errors) {
  const doc::Value& spec = spec_of(budget);
  const Path root;
  const Path at = root.field("spec");
  const doc::Value* least = doc::find(spec, "minAvailable");
  const doc::Value* most = doc::find(spec, "maxUnavailable");
  if (least && most) {
    errors.push_back(schema::invalid(at.text(), spec, "minAvailable and maxUnavailable cannot be both set"));
  }
  check_part(least, at.field("minAvailable"), errors);
  check_part(most, at.field("maxUnavailable"), errors);
  check_label_selector(doc::find(spec, "selector"), at.field("selector"), errors);
  check_choice(spec, "unhealthyPodEvictionPolicy", {"AlwaysAllow", "IfHealthyBudget"}, at, errors);
  check_status(budget, root.field("status"), errors);
}

}  // namespace

const KindRules kBudgetRules{fill_budget, check_budget};

}  // namespace tiphys::objects
