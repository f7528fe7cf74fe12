// Standard output as a terminal, or not.
#pragma once

#include <string>
#include <string_view>

#include "cli/view/style.h"

namespace tiphys::cli {

struct TerminalSize {
  int rows = 24;
  int columns = 80;
};

/// True when standard output is a terminal that takes escape sequences.
bool can_redraw();
TerminalSize terminal_size();

/// Colours where a terminal shows them and neither --no-color nor NO_COLOR nor TERM=dumb forbids it.
Style choose_style(bool no_color, bool no_utf8);

/// Writes to standard output at once. What cannot be written (a closed pipe) is lost: nobody reads it.
void print(std::string_view text);
void print_error(std::string_view text);

}  // namespace tiphys::cli
