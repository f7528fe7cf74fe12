// Small text tools that several layers need.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys {

/// Parts between the separators; "" gives one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
/// Without white space (space, tab, CR, LF) at both ends.
std::string_view trim(std::string_view text);

/// The known word nearest to `word` by edit distance, when it is near enough to be what was meant (a third of its
/// length).
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);
/// "; did you mean \"train\"?" or "".
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace tiphys
