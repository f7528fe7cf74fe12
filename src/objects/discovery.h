// What an API says of itself: its groups, versions and resources, in the older form of one document per group and the
// newer one of a single document (apidiscovery.k8s.io/v2).
#pragma once

#include <string_view>

#include "doc/value.h"
#include "objects/kinds.h"

namespace tiphys::objects {

/// GET /api. `address` is where the server is reached: "127.0.0.1:2746".
doc::Value api_versions(std::string_view address);
/// GET /apis
doc::Value api_groups(const Kinds& kinds);
/// GET /apis/{group}; null when there is none.
doc::Value api_group(const Kinds& kinds, std::string_view group);
/// GET /api/v1, /apis/{group}/{version}; null when there is none.
doc::Value api_resources(const Kinds& kinds, std::string_view group, std::string_view version);
/// The aggregated form of /api (the core group alone) or of /apis (all others).
doc::Value aggregated_groups(const Kinds& kinds, bool core);

}  // namespace tiphys::objects
