// The first pass over a JSONPath.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tiphys::expr::json_path {

/// The texts of a path's steps: "$", "..", "name", "['name']". A subscript ends where its brackets, parentheses and
/// single quotes are even.
Result<std::vector<std::string>> split_path(std::string_view text);

}  // namespace tiphys::expr::json_path
