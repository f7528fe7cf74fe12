// Whole numbers in texts that users write.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tiphys {

/// As Go's strconv.Atoi reads it: decimal digits after at most one sign, and nothing else.
std::optional<std::int64_t> whole_number(std::string_view text);

}  // namespace tiphys
