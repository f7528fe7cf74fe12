// Names with * and ?.
#pragma once

#include <string_view>

namespace tiphys::play {

/// `*` stands for any text, `?` for any one character; all else, brackets included, for itself.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace tiphys::play
