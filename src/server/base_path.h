// The path at which browsers find the server behind a proxy that takes it off.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::server {

/// Of what users write, with or without slashes around it: "/", or "/argo/". kInvalidArgument: it cannot be in a page's
/// <base>, in a cookie's Path and in a header Location as it is.
Result<std::string> base_path(std::string_view written);

}  // namespace tiphys::server
