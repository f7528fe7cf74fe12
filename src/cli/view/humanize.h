// Times and durations in words, in the forms argo prints.
#pragma once

#include <string>

#include "base/time.h"

namespace tiphys::cli {

/// "0s", "59s", "1h", "3d": one unit, cut down. An unset `finish` of a set `start` means `now`.
std::string short_duration(Time start, Time finish, Time now);
/// "1 minute 30 seconds": up to two units. An unset `finish` of a set `start` means `now`.
std::string long_duration(Time start, Time finish, Time now);
/// "Tue Nov 24 11:52:54 +0000 (3 minutes ago)", in the local time zone.
std::string timestamp_with_age(Time time, Time now);
/// "11:52:54", in the local time zone.
std::string clock_time(Time time);
/// "0.03s", "7.3s", "0:42", "1:02:03": how long something has taken.
std::string elapsed_time(Duration elapsed);
/// "7s", "0:42", "1:02:03": the same where only whole seconds are known.
std::string elapsed_seconds(Duration elapsed);

/// "10m", "3h", "1d" or a Go duration, as --since and --older take it.
Result<Duration> parse_age(std::string_view text);

}  // namespace tiphys::cli
