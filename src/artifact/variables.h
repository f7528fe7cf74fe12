// What the plane's own environment says to drivers.
#pragma once

#include <string>

namespace tiphys::artifact {

/// The variable; `otherwise` when it is not set, or empty.
std::string variable(const char* name, std::string otherwise = "");

}  // namespace tiphys::artifact
