#include "cli/view/tab_writer.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"

namespace tiphys::cli {
namespace {

struct Cell {
  std::string_view text;
  std::size_t width = 0;
};
using Line = std::vector<Cell>;

class Layout {
 public:
  Layout(const std::vector<Line>& lines, std::size_t padding) : lines_(lines), padding_(padding) {}

  std::string run() {
    format(0, lines_.size());
    return std::move(out_);
  }

 private:
  bool has_column(std::size_t line, std::size_t column) const { return column + 1 < lines_[line].size(); }

  /// Lays out lines [first, last), whose columns left of widths_.size() are settled.
  void format(std::size_t first, std::size_t last) {
    const std::size_t column = widths_.size();
    for (std::size_t at = first; at < last;) {
      if (!has_column(at, column)) {
        ++at;
        continue;
      }
      write(first, at);
      const std::size_t begin = at;
      std::size_t width = 0;
      for (; at < last && has_column(at, column); ++at) width = std::max(width, lines_[at][column].width + padding_);
      widths_.push_back(width);
      format(begin, at);
      widths_.pop_back();
      first = at;
    }
    write(first, last);
  }

  void write(std::size_t first, std::size_t last) {
    for (std::size_t at = first; at < last; ++at) {
      const Line& line = lines_[at];
      for (std::size_t i = 0; i < line.size(); ++i) {
        out_ += line[i].text;
        if (i < widths_.size()) out_.append(widths_[i] - std::min(widths_[i], line[i].width), ' ');
      }
      out_ += '\n';
    }
  }

  const std::vector<Line>& lines_;
  std::size_t padding_;
  std::vector<std::size_t> widths_;
  std::string out_;
};

}  // namespace

std::size_t text_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i < text.size() && text[i] != 'm') ++i;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++width;
    }
  }
  return width;
}

std::string align_columns(std::string_view text, std::size_t padding) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  std::vector<Line> lines;
  for (const auto line : split(text, '\n')) {
    Line& cells = lines.emplace_back();
    for (const auto cell : split(line, '\t')) cells.push_back({cell, text_width(cell)});
  }
  return Layout(lines, padding).run();
}

}  // namespace tiphys::cli
