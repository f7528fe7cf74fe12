// What differs between two objects, field by field as they can be owned.
#pragma once

#include "objects/apply_shape.h"
#include "objects/field_set.h"

namespace tiphys::objects {

/// No field is in two of the sets.
struct Changes {
  FieldSet removed{};
  FieldSet modified{};  ///< in both, but not the same
  FieldSet added{};

  bool empty() const { return removed.empty() && modified.empty() && added.empty(); }
};

/// Both are valid for the shape (apply_check.h). Linear in the two, but for the sorting of lists with keys.
Changes compare(const Shape& shape, const doc::Value& before, const doc::Value& after);

}  // namespace tiphys::objects
