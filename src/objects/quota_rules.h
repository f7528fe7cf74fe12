// Defaults and checks of LimitRanges, ResourceQuotas and PriorityClasses (k8s.io/kubernetes/pkg/apis/core, scheduling).
#pragma once

#include <vector>

#include "cluster/resource.h"
#include "objects/kind_rules.h"

namespace tiphys::objects {

extern const KindRules kLimitRangeRules, kResourceQuotaRules, kPriorityClassRules;

/// Those that every cluster has.
std::vector<doc::Value> system_priority_classes();

}  // namespace tiphys::objects
