// Whether an object is one that server-side apply can take apart, with the messages of structured-merge-diff (typed).
#pragma once

#include "objects/apply_shape.h"

namespace tiphys::objects {

enum class Duplicates { kRefused, kAllowed };

/// kInvalidArgument: `.spec.replicas: expected numeric (int or float), got string`; of several errors, each has a line.
Status check_shape(const Shape& shape, const doc::Value& object, Duplicates duplicates);

}  // namespace tiphys::objects
