#include "expr/go_time.h"

#include <absl/time/time.h>

#include <array>
#include <limits>

namespace tiphys::expr {
namespace {

constexpr std::int64_t kNanos = 1'000'000'000;
constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

/// Offset and abbreviation in force at an instant.
std::pair<std::int32_t, std::string> in_force(const GoZone& zone, std::int64_t seconds) {
  if (zone.name.empty()) return {zone.offset, zone.abbreviation};
  absl::TimeZone found;
  if (zone.name == "UTC" || !absl::LoadTimeZone(zone.name, &found)) return {0, "UTC"};
  const auto info = found.At(absl::FromUnixSeconds(seconds));
  return {info.offset, info.zone_abbr};
}

/// Sums wrap, as Go's do.
std::int64_t wrapping_add(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) + static_cast<std::uint64_t>(right));
}

}  // namespace

Result<GoZone> load_zone(const std::string& name) {
  if (name.empty() || name == "UTC" || name == "Local") return GoZone{};
  absl::TimeZone found;
  const bool leaves = name.find("..") != std::string::npos || name.front() == '/' || name.front() == '\\';
  // The library knows names of its own for fixed offsets.
  if (leaves || name.starts_with("Fixed/") || !absl::LoadTimeZone(name, &found)) {
    return fail(Code::kInvalidArgument, leaves ? "time: invalid location name" : "unknown time zone " + name);
  }
  return GoZone{.name = name, .offset = 0, .abbreviation = ""};
}

GoZone host_zone() {
  return GoZone{.name = absl::LocalTimeZone().name(), .offset = 0, .abbreviation = ""};
}

CivilTime civil_time(const GoTime& time) {
  const auto [offset, abbreviation] = in_force(time.zone, time.seconds);
  // Years of absl and of int64 reach further than any time that is made here.
  const absl::CivilSecond civil = absl::CivilSecond(1970) + wrapping_add(time.seconds, offset);
  CivilTime parts;
  parts.year = civil.year();
  parts.month = civil.month();
  parts.day = civil.day();
  parts.hour = civil.hour();
  parts.minute = civil.minute();
  parts.second = civil.second();
  const absl::CivilDay day(civil);
  parts.weekday = (static_cast<int>(absl::GetWeekday(day)) + 1) % 7;
  parts.year_day = absl::GetYearDay(day);
  parts.offset = offset;
  parts.abbreviation = abbreviation;
  return parts;
}

GoTime make_time(const CivilTime& civil, std::int64_t nanos, const GoZone& zone) {
  std::int64_t carry = nanos / kNanos;
  nanos %= kNanos;
  if (nanos < 0) {
    nanos += kNanos;
    --carry;
  }
  const absl::CivilSecond normal(civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
  const std::int64_t local = wrapping_add(normal - absl::CivilSecond(1970), carry);
  // Around a change of the offset Go takes the one in force at the guess, then the one in force where that leads.
  const std::int64_t guess = wrapping_add(local, -in_force(zone, local).first);
  const std::int64_t seconds = wrapping_add(local, -in_force(zone, guess).first);
  return {.seconds = seconds, .nanos = static_cast<std::int32_t>(nanos), .zone = zone};
}

GoTime add(GoTime time, Duration duration) {
  std::int64_t seconds = duration.count() / kNanos;
  std::int64_t nanos = time.nanos + duration.count() % kNanos;
  if (nanos >= kNanos) {
    nanos -= kNanos;
    ++seconds;
  } else if (nanos < 0) {
    nanos += kNanos;
    --seconds;
  }
  time.seconds = wrapping_add(time.seconds, seconds);
  time.nanos = static_cast<std::int32_t>(nanos);
  return time;
}

Duration subtract(const GoTime& left, const GoTime& right) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max(), kLeast = std::numeric_limits<std::int64_t>::min();
  std::int64_t seconds = 0, whole = 0, result = 0;
  const bool fits = !__builtin_sub_overflow(left.seconds, right.seconds, &seconds) &&
                    !__builtin_mul_overflow(seconds, kNanos, &whole) &&
                    !__builtin_add_overflow(whole, static_cast<std::int64_t>(left.nanos - right.nanos), &result);
  if (fits) return Duration{result};
  return Duration{compare(left, right) < 0 ? kLeast : kMost};
}

int compare(const GoTime& left, const GoTime& right) {
  if (left.seconds != right.seconds) return left.seconds < right.seconds ? -1 : 1;
  return left.nanos == right.nanos ? 0 : left.nanos < right.nanos ? -1 : 1;
}

GoTime from_time(Time time) {
  return add(GoTime{}, time.time_since_epoch());
}

std::string_view month_name(std::int64_t month) {
  return month >= 1 && month <= 12 ? kMonths[static_cast<std::size_t>(month - 1)] : std::string_view();
}
std::string_view weekday_name(std::int64_t weekday) {
  return weekday >= 0 && weekday <= 6 ? kWeekdays[static_cast<std::size_t>(weekday)] : std::string_view();
}

}  // namespace tiphys::expr
