// What the plane's own environment says to drivers.
#pragma once

#include <string>

#include "base/error.h"

namespace tiphys::artifact {

/// The variable; `otherwise` when it is not set, or empty.
std::string variable(const char* name, std::string otherwise = "");

/// All that is in a file that the environment names.
Result<std::string> text_of_file(const std::string& path);

}  // namespace tiphys::artifact
