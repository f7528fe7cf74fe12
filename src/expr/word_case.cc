#include "expr/word_case.h"

#include <vector>

#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

using Letters = std::vector<char32_t>;

Letters letters_of(std::string_view text) {
  Letters letters;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    letters.push_back(c.value);
    i += c.size;
  }
  return letters;
}

bool is_upper(char32_t c) {
  return to_lower(c) != c;
}
bool is_lower(char32_t c) {
  return is_letter(c) && !is_upper(c);
}
bool is_connector(char32_t c) {
  return c == '-' || c == '_' || is_space(c);
}

/// Digits that lower case letters follow make a word of their own with them: "http2xx" is http 2xx.
bool starts_number_word(const Letters& letters, std::size_t at) {
  if (!is_digit(letters[at]) || (at > 0 && !is_letter(letters[at - 1]))) return false;
  std::size_t end = at;
  while (end < letters.size() && is_digit(letters[end])) ++end;
  return end < letters.size() && is_lower(letters[end]);
}

bool starts_word(const Letters& letters, std::size_t at, bool in_number_word) {
  if (at == 0) return false;
  const char32_t before = letters[at - 1];
  const char32_t c = letters[at];
  if (is_digit(c)) return !in_number_word && starts_number_word(letters, at);
  if (!is_upper(c)) return false;
  if (is_lower(before) || is_digit(before)) return true;
  return is_upper(before) && at + 1 < letters.size() && is_lower(letters[at + 1]);
}

}  // namespace

std::string connect_words(std::string_view text, char connector) {
  const Letters letters = letters_of(text);
  std::string out;
  bool in_number_word = false;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const char32_t c = letters[i];
    if (is_connector(c)) {
      out += connector;
      in_number_word = false;
      continue;
    }
    if (starts_word(letters, i, in_number_word)) {
      out += connector;
      in_number_word = is_digit(c);
    } else if (is_digit(c) && (i == 0 || is_connector(letters[i - 1]))) {
      in_number_word = true;
    }
    append_utf8(to_lower(c), out);
  }
  return out;
}

std::string pascal_case(std::string_view text) {
  const Letters letters = letters_of(text);
  std::string out;
  std::size_t i = 0;
  // Connectors at the beginning stay.
  for (; i < letters.size() && is_connector(letters[i]); ++i) append_utf8(letters[i], out);
  bool first = true;
  bool lowering = false;
  for (; i < letters.size(); ++i) {
    const char32_t c = letters[i];
    if (is_connector(c)) {
      const bool last = i + 1 == letters.size();
      if (last || is_connector(letters[i + 1])) append_utf8(c, out);
      first = true;
      continue;
    }
    if (first) {
      lowering = is_upper(c);
      append_utf8(to_upper(c), out);
    } else {
      if (!is_upper(c)) lowering = false;
      append_utf8(lowering ? to_lower(c) : c, out);
    }
    first = false;
  }
  return out;
}

std::string title_case(std::string_view text) {
  std::string out;
  char32_t before = ' ';
  for (const char32_t c : letters_of(text)) {
    const bool in_word =
        is_letter(before) || is_digit(before) || before == '_' || (before >= 0x80 && !is_space(before));
    append_utf8(in_word ? c : to_upper(c), out);
    before = c;
  }
  return out;
}

std::string untitle_case(std::string_view text) {
  std::string out;
  bool first = true;
  for (const char32_t c : letters_of(text)) {
    append_utf8(first ? to_lower(c) : c, out);
    first = is_space(c);
  }
  return out;
}

std::string swap_case(std::string_view text) {
  std::string out;
  for (const char32_t c : letters_of(text)) append_utf8(is_upper(c) ? to_lower(c) : to_upper(c), out);
  return out;
}

std::string initials(std::string_view text) {
  std::string out;
  bool first = true;
  for (const char32_t c : letters_of(text)) {
    if (first && !is_space(c)) append_utf8(c, out);
    first = is_space(c);
  }
  return out;
}

}  // namespace tiphys::expr
