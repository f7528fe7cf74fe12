#include "expr/go_strings.h"

#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

std::vector<std::string_view> split_points(std::string_view text, std::int64_t most) {
  std::vector<std::string_view> parts;
  while (!text.empty() && (most < 0 || static_cast<std::int64_t>(parts.size()) + 1 < most)) {
    const std::size_t size = code_point_at(text, 0).size;
    parts.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  if (!text.empty()) parts.push_back(text);
  return parts;
}

bool in_set(std::string_view set, char32_t c) {
  for (std::size_t i = 0; i < set.size();) {
    const CodePoint point = code_point_at(set, i);
    if (point.value == c) return true;
    i += point.size;
  }
  return false;
}

}  // namespace

std::vector<std::string_view> go_split(std::string_view text, std::string_view separator, std::int64_t most,
                                       bool keep) {
  std::vector<std::string_view> parts;
  if (most == 0) return parts;
  if (separator.empty()) return split_points(text, most);
  while (most < 0 || static_cast<std::int64_t>(parts.size()) + 1 < most) {
    const auto at = text.find(separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(0, at + (keep ? separator.size() : 0)));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

std::string go_replace(std::string_view text, std::string_view from, std::string_view to, std::int64_t most) {
  std::string out;
  std::int64_t count = 0;
  if (from.empty()) {
    for (std::size_t i = 0; i <= text.size(); ++count) {
      if (most < 0 || count < most) out += to;
      if (i == text.size()) break;
      const std::size_t size = code_point_at(text, i).size;
      out += text.substr(i, size);
      i += size;
    }
    return out;
  }
  for (; most < 0 || count < most; ++count) {
    const auto at = text.find(from);
    if (at == std::string_view::npos) break;
    out += text.substr(0, at);
    out += to;
    text.remove_prefix(at + from.size());
  }
  out += text;
  return out;
}

std::string_view go_trim(std::string_view text, std::string_view set, bool left, bool right) {
  while (left && !text.empty()) {
    const CodePoint c = code_point_at(text, 0);
    if (!in_set(set, c.value)) break;
    text.remove_prefix(c.size);
  }
  while (right && !text.empty()) {
    const CodePoint c = last_code_point(text);
    if (!in_set(set, c.value)) break;
    text.remove_suffix(c.size);
  }
  return text;
}

std::vector<std::string_view> go_fields(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = std::string_view::npos;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    if (is_space(c.value)) {
      if (begin != std::string_view::npos) words.push_back(text.substr(begin, i - begin));
      begin = std::string_view::npos;
    } else if (begin == std::string_view::npos) {
      begin = i;
    }
    i += c.size;
  }
  if (begin != std::string_view::npos) words.push_back(text.substr(begin));
  return words;
}

}  // namespace tiphys::expr
