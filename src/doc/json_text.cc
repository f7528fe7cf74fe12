#include "doc/json_text.h"

#include "base/strings.h"

namespace tiphys::doc {
namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Calls visit(c, at, in_text) for each character; the quotes of a text belong to it.
template <typename Visit>
void walk(std::string_view json, Visit visit) {
  bool in_text = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    const bool quote = c == '"';
    visit(c, at, in_text || quote);
    if (in_text && c == '\\' && at + 1 < json.size()) {
      ++at;
      visit(json[at], at, true);
    } else if (quote) {
      in_text = !in_text;
    }
  }
}

/// Where the text ends whose quote is at `at`.
std::size_t end_of_text(std::string_view json, std::size_t at) {
  for (++at; at < json.size(); ++at) {
    at = json.find_first_of("\"\\", at);
    if (at == json.npos) break;
    if (json[at] == '"') return at + 1;
    ++at;  // what is escaped
  }
  return json.size();
}

}  // namespace

std::string compact_json(std::string_view json) {
  std::string compact;
  compact.reserve(json.size());
  walk(json, [&](char c, std::size_t, bool in_text) {
    if (in_text || !is_space(c)) compact += c;
  });
  return compact;
}

bool has_written_fractions(std::string_view json) {
  bool found = false;
  char before = ' ';
  walk(json, [&](char c, std::size_t, bool in_text) {
    if (!in_text && before >= '0' && before <= '9') found |= c == '.' || c == 'e' || c == 'E';
    before = in_text ? ' ' : c;
  });
  return found;
}

std::vector<std::string_view> json_parts(std::string_view json) {
  json = trim(json);
  if (!json.starts_with('[') && !json.starts_with('{')) return {};
  std::vector<std::string_view> parts;
  std::size_t begin = 1;
  int depth = 0;
  const auto end_part = [&](std::size_t at) {
    const std::string_view part = trim(json.substr(begin, at - begin));
    if (!part.empty()) parts.push_back(part);
    begin = at + 1;
  };
  walk(json, [&](char c, std::size_t at, bool in_text) {
    if (in_text) return;
    if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      if (--depth == 0) end_part(at);
    } else if (depth == 1 && (c == ',' || c == ':')) {
      end_part(at);
    }
  });
  return parts;
}

std::size_t end_of_value(std::string_view json, std::size_t begin) {
  int depth = 0;
  for (std::size_t at = begin; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      at = end_of_text(json, at);
      if (depth == 0) return at;
      --at;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // after a number or a word
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || c == ':' || is_space(c))) {
      return at;
    }
  }
  return json.size();
}

}  // namespace tiphys::doc
