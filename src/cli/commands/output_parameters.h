// Output parameters that a user supplies, from the command line.
#pragma once

#include <string>
#include <vector>

#include "doc/value.h"

namespace tiphys::cli {

/// "NAME=VALUE", a value in double quotes read as Go reads it.
Result<doc::Object> parse_output_parameters(const std::vector<std::string>& parameters);

}  // namespace tiphys::cli
