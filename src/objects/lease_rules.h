// What the API demands of Leases (k8s.io/kubernetes/pkg/apis/coordination/validation).
#pragma once

#include "objects/kind_rules.h"

namespace tiphys::objects {

extern const KindRules kLeaseRules;

}  // namespace tiphys::objects
