#include "doc/gjson/scan.h"

#include <algorithm>
#include <array>

#include "doc/utf8.h"

namespace tiphys::doc::gjson {
namespace {

constexpr auto kEnd = std::string_view::npos;

/// Whether an odd number of backslashes, none of them before `begin`, precedes `at`.
bool is_escaped(std::string_view text, std::size_t begin, std::size_t at) {
  std::size_t first = at;
  while (first > begin && text[first - 1] == '\\') --first;
  return (at - first) % 2 == 1;
}

/// Where the string that starts after the quote before `begin` is closed.
std::size_t closing_quote(std::string_view text, std::size_t begin) {
  std::size_t at = begin;
  while ((at = text.find('"', at)) != kEnd && is_escaped(text, begin, at)) ++at;
  return at;
}

char32_t hex4(std::string_view digits) {
  char32_t value = 0;
  for (const char c : digits.substr(0, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return 0;
    value = value * 16 + static_cast<char32_t>(digit);
  }
  return value;
}

bool is_surrogate(char32_t c) {
  return c >= 0xD800 && c < 0xE000;
}

/// Reads \uXXXX, or two of them that are one code point; `at` is at the u and goes to the last digit.
char32_t read_unicode_escape(std::string_view text, std::size_t& at) {
  const char32_t high = hex4(text.substr(at + 1));
  at += 4;
  if (!is_surrogate(high) || text.substr(at + 1).size() < 6 || text[at + 1] != '\\' || text[at + 2] != 'u') return high;
  const char32_t low = hex4(text.substr(at + 3));
  at += 6;
  if (high >= 0xDC00 || low < 0xDC00 || low >= 0xE000) return 0xFFFD;
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

bool starts_number(char c) {
  return (c >= '0' && c <= '9') || c == '+' || c == '-' || c == 'i' || c == 'I' || c == 'N';
}

}  // namespace

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

StringPiece scan_string(std::string_view json, std::size_t at) {
  const std::size_t quote = closing_quote(json, at);
  const bool closed = quote != kEnd;
  const std::size_t end = closed ? quote + 1 : json.size();
  const std::string_view text = json.substr(at - 1, end - at + 1);
  return {text, end, text.find('\\') != kEnd, closed};
}

Piece scan_brackets(std::string_view json, std::size_t at) {
  std::size_t depth = 1;
  for (std::size_t i = at + 1; i < json.size(); ++i) {
    switch (json[i]) {
      case '"':
        i = closing_quote(json, i + 1);
        if (i == kEnd) return {json.substr(at), json.size() + 1};
        break;
      case '{':
      case '[':
      case '(':
        ++depth;
        break;
      case '}':
      case ']':
      case ')':
        if (--depth == 0) return {json.substr(at, i + 1 - at), i + 1};
        break;
      default:
        break;
    }
  }
  return {json.substr(at), json.size()};
}

Piece scan_number(std::string_view json, std::size_t at) {
  std::size_t end = at + 1;
  while (end < json.size() && !is_blank(json[end]) && json[end] != ',' && json[end] != ']' && json[end] != '}') ++end;
  return {json.substr(at, end - at), end};
}

Piece scan_literal(std::string_view json, std::size_t at) {
  std::size_t end = at + 1;
  while (end < json.size() && json[end] >= 'a' && json[end] <= 'z') ++end;
  return {json.substr(at, end - at), end};
}

std::string_view squash(std::string_view text) {
  return text[0] == '"' ? scan_string(text, 1).text : scan_brackets(text, 0).text;
}

bool is_nan(std::string_view json, std::size_t at) {
  return at + 1 < json.size() && json[at + 1] != 'u';
}

std::string unescape(std::string_view text) {
  constexpr std::string_view kLetters = "\\/bfnrt\"";
  constexpr std::string_view kMeanings = "\\/\b\f\n\r\t\"";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (byte_at(text, i) < ' ') return out;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return out;
    if (const auto letter = kLetters.find(text[i]); letter != kEnd) {
      out += kMeanings[letter];
    } else if (text[i] == 'u' && i + 5 <= text.size()) {
      append_utf8(read_unicode_escape(text, i), out);
    } else {
      return out;
    }
  }
  return out;
}

Found string_value(Workspace& work, const StringPiece& piece) {
  const std::string_view inside = piece.text.substr(1, piece.text.size() - (piece.closed ? 2 : 1));
  return {GjsonType::kString, piece.text, piece.escaped ? work.keep(unescape(inside)) : inside};
}

Found number_value(std::string_view raw) {
  return {GjsonType::kNumber, raw, {}, parse_float(raw)};
}

Found literal_value(std::string_view raw) {
  return {raw[0] == 't' ? GjsonType::kTrue : raw[0] == 'f' ? GjsonType::kFalse : GjsonType::kNull, raw};
}

Found parse(Workspace& work, std::string_view json) {
  const std::size_t i = skip_blanks(json, 0);
  if (i == json.size()) return {};
  const char c = json[i];
  Found value;
  if (c == '{' || c == '[') {
    value = {GjsonType::kJson, json.substr(i)};
  } else if (starts_number(c) || (c == 'n' && is_nan(json, i))) {
    value = number_value(scan_number(json, i).text);
  } else if (c == 'n' || c == 't' || c == 'f') {
    value = literal_value(scan_literal(json, i).text);
  } else if (c == '"') {
    value = string_value(work, scan_string(json, i + 1));
  } else {
    return {};
  }
  value.index = i;
  return value;
}

bool starts_value(char c) {
  return starts_number(c) || c == '{' || c == '[' || c == '"' || c == 'n' || c == 't' || c == 'f';
}

Next read_value(Workspace& work, std::string_view json, std::size_t at, bool wanted) {
  const char c = json[at];
  if (c == '{' || c == '[') {
    const Piece piece = scan_brackets(json, at);
    return {{GjsonType::kJson, piece.text, {}, 0, at}, piece.end, true};
  }
  if (c == '"') {
    const StringPiece piece = scan_string(json, at + 1);
    return {wanted && piece.closed ? string_value(work, piece) : Found(), piece.end, piece.closed};
  }
  const bool number = c == 'n' ? is_nan(json, at) : c != 't' && c != 'f';
  const Piece piece = number ? scan_number(json, at) : scan_literal(json, at);
  if (!wanted) return {{}, piece.end, true};
  return {number ? number_value(piece.text) : literal_value(piece.text), piece.end, true};
}

Next scan_value(Workspace& work, std::string_view json, std::size_t at) {
  while (at < json.size() && !starts_value(json[at])) ++at;
  if (at >= json.size()) return {{}, json.size(), false};
  return read_value(work, json, at);
}

void for_each(Workspace& work, const Found& found, const std::function<void(const Found&, const Found&)>& visit) {
  if (!found.exists()) return;
  if (found.type != GjsonType::kJson) {
    visit({}, found);
    return;
  }
  const std::string_view json = found.raw;
  const bool object = found.is_object();
  Found key;
  if (!object) key = {GjsonType::kNumber, {}, {}, -1};
  // One character after each value is skipped unseen, as gjson does.
  for (std::size_t i = 1; i < json.size() && work.charge(1); ++i) {
    if (object) {
      if (json[i] != '"') continue;
      const StringPiece piece = scan_string(json, i + 1);
      if (!piece.closed) return;
      key = string_value(work, piece);
      i = piece.end;
    } else {
      key.num += 1;
    }
    const Next next = scan_value(work, json, i);
    if (!next.ok) return;
    visit(key, next.value);
    i = next.end;
  }
}

std::vector<Found> elements(Workspace& work, const Found& found) {
  if (found.type == GjsonType::kNull) return {};
  if (!found.is_array()) return {found};
  const std::string_view json = found.raw;
  std::vector<Found> all;
  for (std::size_t i = 1; i < json.size() && work.charge(1); ++i) {
    const char c = json[i];
    if (c == ']' || c == '}') break;
    Found value;
    if ((c >= '0' && c <= '9') || c == '-') {
      value = number_value(scan_number(json, i).text);
    } else if (c == '{' || c == '[') {
      value = {GjsonType::kJson, squash(json.substr(i))};
    } else if (c == 'n' || c == 't' || c == 'f') {
      value = literal_value(scan_literal(json, i).text);
    } else if (c == '"') {
      value = string_value(work, scan_string(json, i + 1));
    } else {
      continue;
    }
    value.index = i + found.index;
    i += value.raw.size() - 1;
    all.push_back(std::move(value));
  }
  if (!found.indexes) return all;
  const bool known = found.indexes->size() == all.size();
  for (std::size_t i = 0; i < all.size(); ++i) all[i].index = known ? (*found.indexes)[i] : 0;
  return all;
}

}  // namespace tiphys::doc::gjson
