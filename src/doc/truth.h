// Members that are switches.
#pragma once

#include "doc/value.h"

namespace tiphys::doc {

/// The member at this path is the boolean true; one that is missing, or something else, is not.
template <typename... Path>
bool is_true(const Value& value, const Path&... path) {
  const Value* found = find(value, path...);
  return found && found->is_bool() && found->get_bool();
}

}  // namespace tiphys::doc
