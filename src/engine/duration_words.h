// Durations and times in the words of the original's messages.
#pragma once

#include <string>

#include "base/time.h"

namespace tiphys::engine {

/// "5 seconds", "1 minute 30 seconds", "2 hours 5 minutes", "1 day 3 hours" (util/humanize).
std::string duration_words(Duration duration);
/// Go's Time.String(): "2026-11-24 11:52:54 +0000 UTC".
std::string go_time(Time time);
/// From one time to another, each cut to its second, as node statuses show them: "12".
std::string whole_seconds(Time from, Time to);

}  // namespace tiphys::engine
