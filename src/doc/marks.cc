#include <fmt/format.h>

#include "doc/yaml.h"

namespace tiphys::doc {
namespace {

constexpr std::size_t kWidestLine = 160;

std::string_view line_of(std::string_view text, std::uint32_t line) {
  for (; line > 1; --line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// Bytes of the first `count` characters of UTF-8 text.
std::size_t bytes_of(std::string_view text, std::size_t count) {
  std::size_t i = 0;
  while (i < text.size() && count > 0) {
    ++i;
    while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) ++i;
    --count;
  }
  return i;
}

}  // namespace

void Marks::add(std::string pointer, Mark key, Mark value) {
  places_.insert_or_assign(std::move(pointer), Place{key, value});
}

const Marks::Place* Marks::nearest(std::string_view pointer) const {
  for (;;) {
    if (const auto it = places_.find(pointer); it != places_.end()) return &it->second;
    const auto slash = pointer.rfind('/');
    if (slash == std::string_view::npos) return nullptr;
    pointer = pointer.substr(0, slash);
  }
}

Mark Marks::key(std::string_view pointer) const {
  const Place* place = nearest(pointer);
  if (!place) return {};
  return place->key.line ? place->key : place->value;
}

Mark Marks::value(std::string_view pointer) const {
  const Place* place = nearest(pointer);
  return place ? place->value : Mark{};
}

std::string Marks::render(Mark mark, std::string_view message) const {
  if (mark.line == 0) return file_.empty() ? std::string(message) : fmt::format("{}: {}", file_, message);
  std::string out = fmt::format("{}:{}:{}: {}", file_, mark.line, mark.column, message);
  std::string_view line = text_ ? line_of(*text_, mark.line) : std::string_view();
  if (line.empty()) return out;
  const std::size_t before = bytes_of(line, mark.column - 1);
  // A minified document is one huge line: show what is around the column.
  const std::size_t start = mark.column - 1 < kWidestLine ? 0 : bytes_of(line, mark.column - 1 - kWidestLine / 2);
  const std::string_view lead = line.substr(start, before - start);
  line = line.substr(start, bytes_of(line.substr(start), kWidestLine));
  out += "\n  ";
  out += line;
  out += "\n  ";
  for (const char c : lead) {
    if (c == '\t') {
      out += '\t';
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      out += ' ';
    }
  }
  out += '^';
  return out;
}

std::string pointer_step(std::string_view key) {
  std::string step = "/";
  for (const char c : key) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

}  // namespace tiphys::doc
