// Events about an object, as `kubectl describe` shows them.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "doc/value.h"

namespace tiphys::cli {

/// "Events:" and a line for each, in order of their first occurrence.
std::string event_text(std::vector<doc::Shared> events, Time now);

}  // namespace tiphys::cli
