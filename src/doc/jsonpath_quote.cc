#include <charconv>

#include "doc/jsonpath_syntax.h"

namespace tiphys::doc::jsonpath {
namespace {

void append_utf8(std::uint32_t c, std::string& out) {
  const auto trail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    trail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    trail(6);
    trail(0);
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    trail(12);
    trail(6);
    trail(0);
  }
}

/// Takes `count` digits off the text.
bool take_digits(std::string_view& text, std::size_t count, int base, std::uint32_t& value) {
  if (text.size() < count) return false;
  const char* const end = text.data() + count;
  if (std::from_chars(text.data(), end, value, base).ptr != end) return false;
  text.remove_prefix(count);
  return true;
}

/// Takes what follows a backslash off the text.
bool take_escape(std::string_view& text, char quote, std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
  if (text.empty()) return false;
  const char letter = text[0];
  if (letter >= '0' && letter <= '7') {
    std::uint32_t byte = 0;
    if (!take_digits(text, 3, 8, byte) || byte > 0xFF) return false;
    out += static_cast<char>(byte);
    return true;
  }
  text.remove_prefix(1);
  std::uint32_t value = 0;
  switch (letter) {
    case 'x':
      if (!take_digits(text, 2, 16, value)) return false;
      out += static_cast<char>(value);
      return true;
    case 'u':
    case 'U':
      if (!take_digits(text, letter == 'u' ? 4 : 8, 16, value)) return false;
      if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
      append_utf8(value, out);
      return true;
    case '\'':
    case '"':
      out += letter;
      return letter == quote;
    default:
      break;
  }
  const auto known = kLetters.find(letter);
  if (known == std::string_view::npos) return false;
  out += kMeanings[known];
  return true;
}

}  // namespace

bool unquote(std::string_view quoted, std::string& out) {
  if (quoted.size() < 2) return false;
  const char quote = quoted.front();
  if (quoted.back() != quote) return false;
  std::string_view text = quoted.substr(1, quoted.size() - 2);
  while (!text.empty()) {
    const char c = text[0];
    text.remove_prefix(1);
    if (c == quote) return false;
    if (c != '\\') {
      out += c;
    } else if (!take_escape(text, quote, out)) {
      return false;
    }
  }
  return true;
}

}  // namespace tiphys::doc::jsonpath
