// What gojq's syntax has beyond that of libjq 1.6.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::expr {

/// The filter with `else .` where an `if` has none, and `.a["b"]` for `.a.["b"]`. Lines stay where they are. What is
/// malformed stays malformed.
std::string to_jq16(std::string_view filter);

}  // namespace tiphys::expr
