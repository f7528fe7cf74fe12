// The subresource /scale of what has replicas: an autoscaling/v1 Scale read from the object and written back to it.
#pragma once

#include "objects/kinds.h"
#include "objects/refusal.h"

namespace tiphys::objects {

doc::Value scale_of(const doc::Value& object);
/// Gives `object` the replicas of a Scale, and the resourceVersion that it demands.
Outcome<void> take_scale(const Kind& kind, doc::Value& object, const doc::Value& scale);

}  // namespace tiphys::objects
