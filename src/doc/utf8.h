// UTF-8, with Go's view of malformed texts: each of their bytes is U+FFFD.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tiphys::doc {

struct CodePoint {
  char32_t value = 0xFFFD;
  std::size_t size = 1;  ///< bytes; 1 for a malformed sequence
};

/// The code point at `at`, which must be inside the text. U+FFFD for a malformed sequence.
CodePoint code_point_at(std::string_view text, std::size_t at);
/// The last code point of a text that is not empty.
CodePoint last_code_point(std::string_view text);
void append_utf8(char32_t code_point, std::string& out);
std::size_t count_code_points(std::string_view text);
bool is_utf8(std::string_view text);
/// Well-formed: what is malformed becomes U+FFFD.
std::string to_utf8(std::string_view text);
bool is_space(char32_t c);
/// Without white space at both ends, as strings.TrimSpace.
std::string_view trim_space(std::string_view text);

}  // namespace tiphys::doc
