// Bounds that validation tells and the engine keeps.
#pragma once

#include <cstdint>

namespace tiphys::api {

/// Items of one loop.
inline constexpr std::int64_t kLongestLoop = 10'000'000;

}  // namespace tiphys::api
