// Go's time.Time: an instant and the zone in which it is told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace tiphys::expr {

/// A zone of the tz database by its name ("Europe/Berlin", "UTC"), or, when that is "", one of a fixed offset.
struct GoZone {
  std::string name = "UTC";
  std::int32_t offset = 0;  ///< seconds east of UTC
  std::string abbreviation{};
  bool operator==(const GoZone&) const = default;
};

/// A zone as time.LoadLocation finds it. "" and "UTC" are UTC, and so is "Local": results do not depend on the host.
/// Errors are Go's.
Result<GoZone> load_zone(const std::string& name);

/// The zone of this host: TZ, else /etc/localtime. Only who starts the program asks for it.
GoZone host_zone();

struct GoTime {
  std::int64_t seconds = 0;  ///< since 1970 UTC
  std::int32_t nanos = 0;    ///< [0, 1e9)
  GoZone zone{};
};

/// Go's zero time, the first second of the year 1.
inline constexpr std::int64_t kZeroTimeSeconds = -62135596800;

/// A time as calendars and clocks tell it.
struct CivilTime {
  std::int64_t year = 1;
  std::int64_t month = 1, day = 1;
  std::int64_t hour = 0, minute = 0, second = 0;
  int weekday = 0;   ///< Sunday is 0
  int year_day = 1;  ///< from 1
  std::int32_t offset = 0;
  std::string abbreviation{};
};

CivilTime civil_time(const GoTime& time);
/// time.Date: parts beyond their ranges carry over; only those down to `second` of `civil` are read.
GoTime make_time(const CivilTime& civil, std::int64_t nanos, const GoZone& zone);

/// Sums that leave the range of years wrap, as Go's do.
GoTime add(GoTime time, Duration duration);
/// What lies between the two, at most the longest or shortest Duration.
Duration subtract(const GoTime& left, const GoTime& right);
/// <0, 0 or >0 as `left` is before, at or after `right`.
int compare(const GoTime& left, const GoTime& right);
GoTime from_time(Time time);

std::string_view month_name(std::int64_t month);      ///< "January" for 1; "%!Month(13)" is left to the caller
std::string_view weekday_name(std::int64_t weekday);  ///< "Sunday" for 0

}  // namespace tiphys::expr
