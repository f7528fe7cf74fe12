// What the API demands of PodDisruptionBudgets (k8s.io/kubernetes/pkg/apis/policy/validation).
#pragma once

#include "objects/kind_rules.h"

namespace tiphys::objects {

extern const KindRules kBudgetRules;

}  // namespace tiphys::objects
