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
/// The first letter of each word.
std::string initials(std::string_view text);

}  // namespace tiphys::expr
