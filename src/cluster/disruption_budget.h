// What those who count the disruptions of pods and those who ask for one have in common
// (k8s.io/component-helpers/apps/poddisruptionbudget).
#pragma once

#include <string_view>

#include "base/time.h"
#include "doc/value.h"

namespace tiphys::cluster {

/// Whether a PodDisruptionBudget is for this pod of its namespace: one without a selector is for none, one with an
/// empty selector for all.
bool is_budget_of(const doc::Value& budget, const doc::Value& pod);

/// Sets the condition DisruptionAllowed of a budget's status by what its disruptionsAllowed says.
void set_disruption_condition(doc::Object& status, Time now);
/// The same with another reason and what went wrong; nothing is allowed then.
void set_disruption_failure(doc::Object& status, std::string_view message, Time now);

}  // namespace tiphys::cluster
