#include "expr/unicode.h"

#include <re2/re2.h>

#include <algorithm>

namespace tiphys::expr {
namespace {

/// RE2 carries the tables of Unicode's categories.
bool matches(const RE2& category, char32_t c) {
  std::string text;
  append_utf8(c, text);
  return RE2::FullMatch(text, category);
}

struct CaseRange {
  char32_t first;  ///< of the upper case letters
  char32_t last;
  std::int32_t distance;  ///< to the lower case letter; 1 marks pairs side by side, the first upper case
};

constexpr CaseRange kCases[] = {
    {'A', 'Z', 32},     {0xC0, 0xD6, 32},    {0xD8, 0xDE, 32},     {0x100, 0x12E, 1},  {0x132, 0x136, 1},
    {0x139, 0x147, 1},  {0x14A, 0x176, 1},   {0x178, 0x178, -121}, {0x179, 0x17D, 1},  {0x386, 0x386, 38},
    {0x388, 0x38A, 37}, {0x38C, 0x38C, 64},  {0x38E, 0x38F, 63},   {0x391, 0x3A1, 32}, {0x3A3, 0x3AB, 32},
    {0x400, 0x40F, 80}, {0x410, 0x42F, 32},  {0x460, 0x480, 1},    {0x48A, 0x4BE, 1},  {0x4D0, 0x52E, 1},
    {0x531, 0x556, 48}, {0x1E00, 0x1E94, 1}, {0x1EA0, 0x1EFE, 1},
};

bool is_pair_member(const CaseRange& range, char32_t upper) {
  return range.distance != 1 || (upper - range.first) % 2 == 0;
}

}  // namespace

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (size == 0 || at + size > text.size()) return {};
  char32_t value = lead & (0x7F >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3F);
  }
  const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return {};
  return {value, size};
}

CodePoint last_code_point(std::string_view text) {
  for (std::size_t size = 1; size <= std::min<std::size_t>(4, text.size()); ++size) {
    const CodePoint c = code_point_at(text, text.size() - size);
    if (c.size == size && (size > 1 || static_cast<unsigned char>(text.back()) < 0x80)) return c;
  }
  return {};
}

std::u32string code_points(std::string_view text) {
  std::u32string points;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    points += c.value;
    i += c.size;
  }
  return points;
}

void append_utf8(char32_t c, std::string& out) {
  if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) c = 0xFFFD;
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); i += code_point_at(text, i).size) ++count;
  return count;
}

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  static const RE2 category("\\p{L}");
  return matches(category, c);
}

bool is_digit(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  static const RE2 category("\\p{Nd}");
  return matches(category, c);
}

bool is_print(char32_t c) {
  if (c < 0x80) return c >= 0x20 && c != 0x7F;
  static const RE2 categories("[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}]");
  return matches(categories, c);
}

bool is_space(char32_t c) {
  return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

char32_t to_upper(char32_t c) {
  if (c == 0xB5) return 0x39C;
  if (c == 0x3C2) return 0x3A3;
  for (const CaseRange& range : kCases) {
    const char32_t upper = c - static_cast<char32_t>(range.distance);
    if (upper >= range.first && upper <= range.last && is_pair_member(range, upper)) return upper;
  }
  return c;
}

char32_t to_lower(char32_t c) {
  for (const CaseRange& range : kCases) {
    if (c >= range.first && c <= range.last && is_pair_member(range, c))
      return c + static_cast<char32_t>(range.distance);
  }
  return c;
}

std::string to_upper(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    append_utf8(to_upper(c.value), out);
    i += c.size;
  }
  return out;
}

std::string to_lower(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    append_utf8(to_lower(c.value), out);
    i += c.size;
  }
  return out;
}

std::string_view trim_space(std::string_view text) {
  while (!text.empty()) {
    const CodePoint c = code_point_at(text, 0);
    if (!is_space(c.value)) break;
    text.remove_prefix(c.size);
  }
  while (!text.empty()) {
    const CodePoint c = last_code_point(text);
    if (!is_space(c.value)) break;
    text.remove_suffix(c.size);
  }
  return text;
}

}  // namespace tiphys::expr
