// Standard output as a terminal, or not.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
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

/// Makes sure that 0, 1 and 2 are no files that this process opens later. Call it first.
void hold_standard_streams();

/// Writes to standard output at once. The first failure is kept for output_status(), and what follows is lost.
void print(std::string_view text);
void print_error(std::string_view text);
/// Whether all of print() could be written. A pipe that nobody reads any more is no error.
Status output_status();

}  // namespace tiphys::cli
