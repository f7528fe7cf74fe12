// Columns of text that line up, as Go's text/tabwriter lays them out (minwidth 0, spaces, left-aligned).
#pragma once

#include <string>
#include <string_view>

namespace tiphys::cli {

/// The number of characters that `text` takes on a line: code points, escape sequences of colours not counted.
std::size_t text_width(std::string_view text);

/// Lines of cells ended by tabs. A column is a run of successive lines with a tab-ended cell there; each cell is padded
/// to the widest of its run and `padding` more. What follows the last tab of a line belongs to no column.
std::string align_columns(std::string_view text, std::size_t padding);

}  // namespace tiphys::cli
