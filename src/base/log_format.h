// How lines of the program's log look.
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"

namespace tiphys::log {

/// Writes what this makes of a line, which it must keep on one, instead of "TIME LEVEL LINE". Before the first line.
void set_format(std::string (*format)(Level level, std::string_view line));

}  // namespace tiphys::log
