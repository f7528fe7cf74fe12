// Defaults and checks of pods as a whole; of their specs, which others have too, pod_spec_rules.h.
#pragma once

#include "objects/kind_rules.h"

namespace tiphys::objects {

extern const KindRules kPodRules;

}  // namespace tiphys::objects
