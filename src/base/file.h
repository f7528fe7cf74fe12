// Files as a whole.
#pragma once

#include <string>

#include "base/error.h"

namespace tiphys {

/// kNotFound when there is none; the message names the path.
Result<std::string> read_whole_file(const std::string& path);

}  // namespace tiphys
