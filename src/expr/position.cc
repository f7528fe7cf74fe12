#include "expr/position.h"

#include <algorithm>

namespace tiphys::expr {
namespace {

struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
  std::size_t line_begin = 0;
};

Position position_of(std::string_view text, std::size_t offset) {
  Position position;
  for (std::size_t i = 0; i < std::min(offset, text.size()); ++i) {
    if (text[i] == '\n') {
      ++position.line;
      position.column = 1;
      position.line_begin = i + 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++position.column;
    }
  }
  return position;
}

}  // namespace

std::string place(std::string_view text, std::size_t offset) {
  const auto [line, column, begin] = position_of(text, offset);
  const std::string at = "column " + std::to_string(column);
  return line == 1 ? at : "line " + std::to_string(line) + ", " + at;
}

std::string caret(std::string_view text, std::size_t offset) {
  constexpr std::size_t kLongestLine = 200;  // beyond it the picture says nothing
  const auto [line, column, begin] = position_of(text, offset);
  std::string result = " (" + std::to_string(line) + ":" + std::to_string(column) + ")";
  const std::string_view shown = text.substr(begin, text.find('\n', begin) - begin);
  if (shown.size() > kLongestLine) return result;
  return result + "\n | " + std::string(shown) + "\n | " + std::string(column - 1, '.') + "^";
}

}  // namespace tiphys::expr
