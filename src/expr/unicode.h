// Code points: what Go's packages unicode and utf8 know of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "doc/utf8.h"

namespace tiphys::expr {

using doc::append_utf8;
using doc::code_point_at;
using doc::CodePoint;
using doc::count_code_points;
using doc::is_space;
using doc::last_code_point;
using doc::trim_space;

/// All of them; U+FFFD for malformed bytes.
std::u32string code_points(std::string_view text);

bool is_letter(char32_t c);
bool is_digit(char32_t c);   ///< decimal digits of all scripts
bool is_number(char32_t c);  ///< digits, fractions, Roman numerals and the like
bool is_punctuation(char32_t c);
bool is_upper(char32_t c);
bool is_lower(char32_t c);
bool is_title(char32_t c);  ///< "ǅ" and its like
/// What Go prints as it is: letters, marks, numbers, punctuation, symbols and the ASCII space.
bool is_print(char32_t c);
char32_t to_upper(char32_t c);
char32_t to_lower(char32_t c);
char32_t to_title(char32_t c);
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);

}  // namespace tiphys::expr
