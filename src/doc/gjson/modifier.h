// `@reverse` and its like: functions from text to text.
#pragma once

#include <string_view>

#include "doc/gjson/workspace.h"

namespace tiphys::doc::gjson {

/// Gives the text that the path goes on with; "" is nothing.
using Modifier = std::string_view (*)(Workspace& work, std::string_view json, std::string_view argument);

/// Nullptr for an unknown name.
Modifier find_modifier(std::string_view name);

}  // namespace tiphys::doc::gjson
