// The subresource /scale of what has replicas: an autoscaling/v1 Scale read from the object and written back to it.
#pragma once

#include "objects/refusal.h"

namespace tiphys::objects {

doc::Value scale_of(const doc::Value& object);
/// The same with the owners of its replicas, as whoever writes the Scale is tracked or applies it.
doc::Value owned_scale_of(const doc::Value& object);
/// Gives `object` the replicas of a Scale, and the resourceVersion that it demands.
Outcome<void> take_scale(doc::Value& object, const doc::Value& scale);
/// Gives `object` the owners of a Scale's replicas.
void take_scale_owners(doc::Value& object, const doc::Value& scale);

inline constexpr std::string_view kScaleVersion = "autoscaling/v1";
/// That something is a Scale, if it says what it is.
Outcome<void> check_scale_type(const doc::Value& scale);

}  // namespace tiphys::objects
