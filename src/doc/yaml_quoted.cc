#include "doc/yaml_quoted.h"

#include <algorithm>
#include <charconv>

#include "doc/utf8.h"

namespace tiphys::doc {
namespace {

/// Bytes of the line break that `text` starts with; 0 when it starts with none.
std::size_t break_length(std::string_view text) {
  if (text.starts_with("\r\n") || text.starts_with("\xC2\x85")) return 2;
  return text.starts_with('\n') || text.starts_with('\r') ? 1 : 0;
}

/// Takes blanks and line breaks off the text. The first break is nothing when it is escaped.
void fold(std::string_view& text, bool escaped, std::string& out) {
  std::size_t size = 0;
  std::size_t breaks = 0;
  while (size < text.size()) {
    const std::size_t length = break_length(text.substr(size));
    if (length == 0 && text[size] != ' ' && text[size] != '\t') break;
    breaks += length > 0 ? 1 : 0;
    size += std::max<std::size_t>(length, 1);
  }
  if (breaks == 0) {
    out += text.substr(0, size);
  } else if (breaks > 1) {
    out.append(breaks - 1, '\n');
  } else if (!escaped) {
    out += ' ';
  }
  text.remove_prefix(size);
}

/// Takes that many hexadecimal digits off the text.
char32_t take_code(std::string_view& text, std::size_t digits) {
  digits = std::min(digits, text.size());
  std::uint32_t code = 0;
  std::from_chars(text.data(), text.data() + digits, code, 16);
  text.remove_prefix(digits);
  return code;
}

/// \u, which JSON writes twice for what is beyond 16 bits.
char32_t take_utf16(std::string_view& text) {
  const char32_t high = take_code(text, 4);
  if (high < 0xD800 || high > 0xDBFF || !text.starts_with("\\u")) return high;
  text.remove_prefix(2);
  return 0x10000 + ((high - 0xD800) << 10) + (take_code(text, 4) & 0x3FF);
}

/// Takes what follows a backslash off the text.
void take_escape(std::string_view& text, std::string& out) {
  constexpr std::string_view kLetters = "0abtnvfreNLP_";
  constexpr char32_t kMeanings[] = U"\0\a\b\t\n\v\f\r\x1B\x85\u2028\u2029\xA0";
  if (break_length(text) > 0) return fold(text, true, out);
  const char letter = text.empty() ? '\\' : text[0];
  text.remove_prefix(std::min<std::size_t>(text.size(), 1));
  const std::size_t known = kLetters.find(letter);
  if (known != std::string_view::npos) {
    append_utf8(kMeanings[known], out);
  } else if (letter == 'x') {
    append_utf8(take_code(text, 2), out);
  } else if (letter == 'u') {
    append_utf8(take_utf16(text), out);
  } else if (letter == 'U') {
    append_utf8(take_code(text, 8), out);
  } else {
    out += letter;
  }
}

std::string read(std::string_view text, char quote) {
  std::string out;
  while (!text.empty()) {
    const char c = text[0];
    if (c == ' ' || c == '\t' || break_length(text) > 0) {
      fold(text, false, out);
      continue;
    }
    text.remove_prefix(1);
    if (c == '\\' && quote == '"') {
      take_escape(text, out);
      continue;
    }
    out += c;
    if (c == '\'' && quote == '\'') text.remove_prefix(std::min<std::size_t>(text.size(), 1));  // of two
  }
  return out;
}

}  // namespace

std::string read_single_quoted(std::string_view quoted) {
  return read(quoted, '\'');
}

std::string read_double_quoted(std::string_view quoted) {
  return read(quoted, '"');
}

}  // namespace tiphys::doc
