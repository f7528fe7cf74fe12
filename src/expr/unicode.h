// Code points: what Go's packages unicode and utf8 know of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::expr {

struct CodePoint {
  char32_t value = 0xFFFD;
  std::size_t size = 1;  ///< bytes; 1 for a malformed sequence
};

/// The code point at `at`, which must be inside the text. U+FFFD for a malformed sequence.
CodePoint code_point_at(std::string_view text, std::size_t at);
/// The last code point of a text that is not empty.
CodePoint last_code_point(std::string_view text);
/// All of them; U+FFFD for malformed bytes.
std::u32string code_points(std::string_view text);
void append_utf8(char32_t code_point, std::string& out);
std::size_t count_code_points(std::string_view text);

bool is_letter(char32_t c);
bool is_digit(char32_t c);   ///< decimal digits of all scripts
bool is_number(char32_t c);  ///< digits, fractions, Roman numerals and the like
bool is_punctuation(char32_t c);
bool is_space(char32_t c);
bool is_upper(char32_t c);
bool is_lower(char32_t c);
bool is_title(char32_t c);  ///< "ǅ" and its like
/// What Go prints as it is: letters, marks, numbers, punctuation, symbols and the ASCII space.
bool is_print(char32_t c);
char32_t to_upper(char32_t c);
char32_t to_lower(char32_t c);
/// Upper case, but for letters of two such as "ǆ": "ǅ".
char32_t to_title(char32_t c);
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
/// Without white space at both ends, as strings.TrimSpace.
std::string_view trim_space(std::string_view text);

}  // namespace tiphys::expr
