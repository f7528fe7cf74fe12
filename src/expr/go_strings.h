// Go's package strings, as far as the functions of expressions need it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::expr {

/// strings.SplitN and SplitAfterN: at most `most` parts, all when negative, none when zero; code points when the
/// separator is empty. `keep` leaves the separator at the end of each part.
std::vector<std::string_view> go_split(std::string_view text, std::string_view separator, std::int64_t most = -1,
                                       bool keep = false);
/// strings.Replace: the first `most`, all when negative; an empty `from` matches before each code point and at the end.
std::string go_replace(std::string_view text, std::string_view from, std::string_view to, std::int64_t most = -1);
/// strings.Trim, TrimLeft, TrimRight: code points of the set.
std::string_view go_trim(std::string_view text, std::string_view set, bool left = true, bool right = true);
/// strings.Fields: words between white space.
std::vector<std::string_view> go_fields(std::string_view text);

}  // namespace tiphys::expr
