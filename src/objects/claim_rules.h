// Defaults and checks of PersistentVolumeClaims.
#pragma once

#include "objects/kind_rules.h"

namespace tiphys::objects {

extern const KindRules kClaimRules;

}  // namespace tiphys::objects
