// Bounds of what templates of texts hold and give: values bring tags that bring values, which a few passes could multiply
// without end. What goes beyond is kResourceExhausted.
#pragma once

#include <cstddef>

namespace tiphys::expr {

/// Of one text, and of all texts of a document together.
inline constexpr std::size_t kMostRenderedBytes = 16u << 20;
inline constexpr std::size_t kMostTags = 100'000;

}  // namespace tiphys::expr
