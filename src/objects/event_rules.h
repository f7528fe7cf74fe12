// What the API demands of Events, in both of their forms (k8s.io/kubernetes/pkg/apis/core/validation/events.go).
#pragma once

#include "objects/kind_rules.h"

namespace tiphys::objects {

/// Of v1, which takes nearly everything, and of events.k8s.io/v1.
extern const KindRules kEventRules, kNewEventRules;

}  // namespace tiphys::objects
