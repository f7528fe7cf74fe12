// workflow.creationTimestamp and its parts.
#pragma once

#include "base/time.h"
#include "expr/scope.h"

namespace tiphys::engine {

/// With the strftime characters that workflow.creationTimestamp.<c> knows (the original's util/strftime).
void set_creation_times(Time created, expr::Scope& scope);

}  // namespace tiphys::engine
