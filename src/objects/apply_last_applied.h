// The annotation in which `kubectl apply` without --server-side keeps what it has applied.
#pragma once

#include "objects/managed_fields.h"

namespace tiphys::objects {

/// The fields of the annotation's object that are still as they were applied: kubectl owns them. kNotFound: no such
/// annotation; kInvalidArgument: it does not say what fits the object.
Result<FieldSet> last_applied_fields(const doc::Value& live, const FieldWriter& writer);

/// Writes `config` into the annotation, if `object` has it; without it, if annotations would be too large then.
void refresh_last_applied(doc::Value& object, const doc::Value& config);

}  // namespace tiphys::objects
