// Members that are null: what is not there, to Kubernetes and to all that is written in Go.
#pragma once

#include "doc/value.h"

namespace tiphys::doc {

/// Drops the members that are null, within lists too.
void drop_nulls(Value& value);

}  // namespace tiphys::doc
