// The form of uids.
#pragma once

#include <algorithm>
#include <string_view>

namespace tiphys {

/// 8-4-4-4-12 hexadecimal digits, in small letters: what make_uid (base/random.h) gives.
inline bool is_uid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(text, kForm, [](char c, char form) {
    return form == '-' ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

}  // namespace tiphys
