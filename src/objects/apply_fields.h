// The fields that a value names, and sets of fields brought in line with a type.
#pragma once

#include "objects/apply_shape.h"
#include "objects/field_set.h"

namespace tiphys::objects {

/// Every leaf, every element and every member of a map that the object names.
FieldSet fields_of(const Shape& shape, const doc::Value& object);

/// With the fields of types themselves where there are members below them.
FieldSet with_named_fields(const Shape& shape, const FieldSet& fields);

/// What is below a value that is owned as a whole by now stands for that value: a type may have changed since.
FieldSet reconciled(const Shape& shape, const FieldSet& fields);

/// The value without these fields; what had nothing else becomes null.
doc::Value without(const Shape& shape, const doc::Value& value, const FieldSet& fields);

}  // namespace tiphys::objects
