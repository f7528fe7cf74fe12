// Requests that write objects, for the rows of managed_fields.jsonl.
#pragma once

#include "doc/value.h"

namespace tiphys::oracles {

/// What tools/oracles/managed_fields.go gives: of an application the object, of an update the managers, of what is
/// refused the message, its code and causes.
doc::Value write_object(const doc::Object& row);

}  // namespace tiphys::oracles
