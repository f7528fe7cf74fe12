// Points in time and durations as Kubernetes and Go write them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys {

/// Wall-clock time, UTC, to the nanosecond. The epoch itself means "not set", as Go's zero time does in Argo's objects.
using Time = std::chrono::sys_time<std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;

/// The system's clock. Only what starts the program and the simulation's driver call it; the rest gets time by argument
/// or Executor.
Time system_now();

/// "2026-11-24T11:52:54Z", whole seconds as metav1.Time has them; "" when not set.
std::string format_rfc3339(Time time);
/// "2026-11-24T11:52:54.000123Z", microseconds as metav1.MicroTime has them, for logs.
std::string format_rfc3339_micro(Time time);
/// RFC 3339 with any fraction and offset.
Result<Time> parse_rfc3339(std::string_view text);

/// Go's time.ParseDuration: "300ms", "-1.5h", "2h45m". A bare number is an error there and here.
Result<Duration> parse_go_duration(std::string_view text);
/// As Argo reads durations (suspend.duration, backoff.duration): a bare number is seconds, anything else is Go's form.
Result<Duration> parse_seconds_or_duration(std::string_view text);
/// Go's Duration.String(): "1h2m3.5s", "0s", "1.5ms".
std::string format_go_duration(Duration duration);

}  // namespace tiphys
