// Flags of every command that say what goes to the log, and how: -v, --loglevel, --log-format, --gloglevel.
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "cli/flags.h"

namespace tiphys::cli {

/// Takes them out of the arguments, wherever they stand before "--", and does as they say. Errors: a value that is none
/// of those that are known.
Status take_log_flags(Arguments& arguments);

/// A line as JSON, with the keys of the original: time, level, msg.
std::string json_log_line(log::Level level, std::string_view line);

}  // namespace tiphys::cli
