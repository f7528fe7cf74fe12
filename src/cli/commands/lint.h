// Checks of manifests by kind.
#pragma once

#include <string>
#include <string_view>

#include "cli/flags.h"

namespace tiphys::cli {

/// As `lint`, for one kind; `plural` is "workflowtemplates" and the like, `command` how it was called.
int lint_kind(const std::string& command, std::string_view plural, const Arguments& arguments);

}  // namespace tiphys::cli
