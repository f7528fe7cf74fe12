// Which Argo's API this is.
#pragma once

#include <string_view>

namespace tiphys::argo {

/// What answers call their server's version, as the original's say it in `argo-version`: clients compare it with
/// theirs.
inline constexpr std::string_view kVersion = "v4.1.2";

}  // namespace tiphys::argo
