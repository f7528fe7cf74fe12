// What a pod has cost. Original: util/resource/duration.go.
#pragma once

#include "api/node_status.h"

namespace tiphys::controllers {

/// Of a pod that has ended: each container's requests (its limits, or 100m of a core and 100Mi of memory, where there
/// are none) times the whole seconds that it ran.
api::ResourcesDuration resources_duration(const doc::Value& pod);

}  // namespace tiphys::controllers
