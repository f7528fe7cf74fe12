// An object with what an applied configuration says of it.
#pragma once

#include "objects/apply_shape.h"

namespace tiphys::objects {

/// Takes nothing away. Elements of lists come in the order of `config` where it has them, others stay where they were
/// between those. Both are valid for the shape, `config` without duplicates.
doc::Value merged(const Shape& shape, const doc::Value& live, const doc::Value& config);

}  // namespace tiphys::objects
