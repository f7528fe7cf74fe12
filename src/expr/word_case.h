// Changes of a text's case, word by word, as sprig's functions make them.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::expr {

/// "FirstName" and "first name" to "first_name", with the connector given; "HTTP20xOK" to "http_20x_ok".
std::string connect_words(std::string_view text, char connector);
/// "some_words" to "SomeWords".
std::string pascal_case(std::string_view text);
/// strings.Title: the first letter of each word in upper case.
std::string title_case(std::string_view text);
/// The first letter of each word in lower case.
std::string untitle_case(std::string_view text);
std::string swap_case(std::string_view text);

// These take each byte for a code point, as the original does.

/// The first letter of each word.
std::string initials(std::string_view text);
/// A text that has no white space stays as it is.
std::string without_space(std::string_view text);
/// Lines of at most `width` bytes (1 or more), broken at spaces; longer words stay whole unless they are cut.
std::string wrap_words(std::string_view text, std::size_t width, std::string_view line_end, bool cut_words);

}  // namespace tiphys::expr
