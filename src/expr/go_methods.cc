// The methods of times, durations and what belongs to them.
#include "expr/go_methods.h"

#include <absl/numeric/int128.h>

#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "expr/arguments.h"
#include "expr/go_layout.h"
#include "expr/go_text.h"
#include "expr/go_value.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;
using Wide = absl::int128;

constexpr std::int64_t kNanos = 1'000'000'000;

std::unexpected<Error> wrong_argument(Arguments arguments, std::size_t index, std::string_view wanted) {
  return bad_argument("cannot use " + std::string(go_type(*arguments[index])) + " as argument (type " +
                      std::string(wanted) + ")");
}

Result<GoTime> time_argument(Arguments arguments) {
  const auto time = go_time(*arguments[0]);
  if (!time) return wrong_argument(arguments, 0, "time.Time");
  return *time;
}
Result<Duration> duration_argument(Arguments arguments) {
  const auto duration = go_duration(*arguments[0]);
  if (!duration) return wrong_argument(arguments, 0, "time.Duration");
  return *duration;
}

template <auto CivilTime::* part>
Value civil_part(const doc::Value& value, Arguments) {
  return doc::Value(static_cast<std::int64_t>(civil_time(*go_time(value)).*part));
}

template <std::int64_t per_second>
Value unix_time(const doc::Value& value, Arguments) {
  const GoTime time = *go_time(value);
  const auto whole = static_cast<std::uint64_t>(time.seconds) * static_cast<std::uint64_t>(per_second);
  return doc::Value(static_cast<std::int64_t>(whole + static_cast<std::uint64_t>(time.nanos / (kNanos / per_second))));
}

Value month(const doc::Value& value, Arguments) {
  return make_go_value(GoKind::kMonth, civil_time(*go_time(value)).month);
}
Value weekday(const doc::Value& value, Arguments) {
  return make_go_value(GoKind::kWeekday, civil_time(*go_time(value)).weekday);
}
Value nanosecond(const doc::Value& value, Arguments) {
  return doc::Value(static_cast<std::int64_t>(go_time(value)->nanos));
}

Value format(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const auto layout, text_argument(arguments, 0));
  return doc::Value(format_time(*go_time(value), layout));
}

Value text(const doc::Value& value, Arguments) {
  return doc::Value(go_value_text(value));
}

Value add_duration(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const Duration duration, duration_argument(arguments));
  return make_go_value(add(*go_time(value), duration));
}

Value add_date(const doc::Value& value, Arguments arguments) {
  const GoTime time = *go_time(value);
  CivilTime civil = civil_time(time);
  TIPHYS_TRY(const std::int64_t years, int_argument(arguments, 0));
  TIPHYS_TRY(const std::int64_t months, int_argument(arguments, 1));
  TIPHYS_TRY(const std::int64_t days, int_argument(arguments, 2));
  civil.year += years;
  civil.month += months;
  civil.day += days;
  return make_go_value(make_time(civil, time.nanos, time.zone));
}

Value sub(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const GoTime other, time_argument(arguments));
  return make_go_value(subtract(*go_time(value), other));
}

/// What a time is beyond a multiple of `unit` since Go's zero time.
std::int64_t beyond(const GoTime& time, Duration unit) {
  const Wide since = (Wide{time.seconds} - kZeroTimeSeconds) * kNanos + time.nanos;
  const auto rest = static_cast<std::int64_t>(since % unit.count());
  return rest < 0 ? rest + unit.count() : rest;
}

Value truncate_time(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const Duration unit, duration_argument(arguments));
  if (unit <= Duration{0}) return value;
  const GoTime time = *go_time(value);
  return make_go_value(add(time, Duration{-beyond(time, unit)}));
}

Value round_time(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const Duration unit, duration_argument(arguments));
  if (unit <= Duration{0}) return value;
  const GoTime time = *go_time(value);
  const std::int64_t rest = beyond(time, unit);
  return make_go_value(add(time, Duration{rest < unit.count() - rest ? -rest : unit.count() - rest}));
}

template <int least, int most>
Value compared(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const GoTime other, time_argument(arguments));
  const int order = compare(*go_time(value), other);
  return doc::Value(order >= least && order <= most);
}

Value compare_times(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const GoTime other, time_argument(arguments));
  return doc::Value(std::int64_t{compare(*go_time(value), other)});
}

Value is_zero(const doc::Value& value, Arguments) {
  const GoTime time = *go_time(value);
  return doc::Value(time.seconds == kZeroTimeSeconds && time.nanos == 0);
}

Value in_utc(const doc::Value& value, Arguments) {
  GoTime time = *go_time(value);
  time.zone = {};
  return make_go_value(time);
}

Value in_location(const doc::Value& value, Arguments arguments) {
  const auto zone = go_zone(*arguments[0]);
  if (!zone) return wrong_argument(arguments, 0, "*time.Location");
  GoTime time = *go_time(value);
  time.zone = *zone;
  return make_go_value(time);
}

Value location(const doc::Value& value, Arguments) {
  GoZone zone = go_time(value)->zone;
  if (zone.name.empty()) zone.name = zone.abbreviation;
  return make_go_value(zone);
}

/// Whole units and the fraction that is left, as Go adds them.
template <std::int64_t unit>
Value fractional(const doc::Value& value, Arguments) {
  const std::int64_t count = go_duration(value)->count();
  const std::int64_t whole = count / unit, rest = count % unit;
  return doc::Value(static_cast<double>(whole) + static_cast<double>(rest) / static_cast<double>(unit));
}

template <std::int64_t unit>
Value whole(const doc::Value& value, Arguments) {
  return doc::Value(go_duration(value)->count() / unit);
}

Value absolute(const doc::Value& value, Arguments) {
  const std::int64_t count = go_duration(value)->count();
  // The least one has no positive counterpart.
  if (count == std::numeric_limits<std::int64_t>::min()) return make_go_value(Duration::max());
  return make_go_value(Duration{count < 0 ? -count : count});
}

Value truncate_duration(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const Duration unit, duration_argument(arguments));
  if (unit <= Duration{0}) return value;
  const Duration duration = *go_duration(value);
  return make_go_value(duration - duration % unit);
}

Value round_duration(const doc::Value& value, Arguments arguments) {
  TIPHYS_TRY(const Duration unit, duration_argument(arguments));
  if (unit <= Duration{0}) return value;
  const Wide count = go_duration(value)->count();
  const Wide rest = count % unit.count();
  const Wide size = rest < 0 ? -rest : rest;
  Wide rounded = count - rest;
  if (size + size >= unit.count()) rounded += rest < 0 ? -Wide{unit.count()} : Wide{unit.count()};
  constexpr Wide kMost = std::numeric_limits<std::int64_t>::max(), kLeast = std::numeric_limits<std::int64_t>::min();
  return make_go_value(Duration{static_cast<std::int64_t>(std::clamp(rounded, kLeast, kMost))});
}

using enum StaticKind;

constexpr Method kMethods[] = {
    {GoKind::kTime, kInt, "Year", 0, civil_part<&CivilTime::year>},
    {GoKind::kTime, kMonth, "Month", 0, month},
    {GoKind::kTime, kInt, "Day", 0, civil_part<&CivilTime::day>},
    {GoKind::kTime, kInt, "Hour", 0, civil_part<&CivilTime::hour>},
    {GoKind::kTime, kInt, "Minute", 0, civil_part<&CivilTime::minute>},
    {GoKind::kTime, kInt, "Second", 0, civil_part<&CivilTime::second>},
    {GoKind::kTime, kInt, "Nanosecond", 0, nanosecond},
    {GoKind::kTime, kWeekday, "Weekday", 0, weekday},
    {GoKind::kTime, kInt, "YearDay", 0, civil_part<&CivilTime::year_day>},
    {GoKind::kTime, kInt, "Unix", 0, unix_time<1>},
    {GoKind::kTime, kInt, "UnixMilli", 0, unix_time<1'000>},
    {GoKind::kTime, kInt, "UnixMicro", 0, unix_time<1'000'000>},
    {GoKind::kTime, kInt, "UnixNano", 0, unix_time<kNanos>},
    {GoKind::kTime, kString, "Format", 1, format},
    {GoKind::kTime, kString, "String", 0, text},
    {GoKind::kTime, kTime, "Add", 1, add_duration},
    {GoKind::kTime, kTime, "AddDate", 3, add_date},
    {GoKind::kTime, kDuration, "Sub", 1, sub},
    {GoKind::kTime, kTime, "Truncate", 1, truncate_time},
    {GoKind::kTime, kTime, "Round", 1, round_time},
    {GoKind::kTime, kBool, "Before", 1, compared<-1, -1>},
    {GoKind::kTime, kBool, "After", 1, compared<1, 1>},
    {GoKind::kTime, kBool, "Equal", 1, compared<0, 0>},
    {GoKind::kTime, kInt, "Compare", 1, compare_times},
    {GoKind::kTime, kBool, "IsZero", 0, is_zero},
    {GoKind::kTime, kTime, "UTC", 0, in_utc},
    {GoKind::kTime, kTime, "Local", 0, in_utc},
    {GoKind::kTime, kTime, "In", 1, in_location},
    {GoKind::kTime, kLocation, "Location", 0, location},
    {GoKind::kDuration, kFloat, "Hours", 0, fractional<3600 * kNanos>},
    {GoKind::kDuration, kFloat, "Minutes", 0, fractional<60 * kNanos>},
    {GoKind::kDuration, kFloat, "Seconds", 0, fractional<kNanos>},
    {GoKind::kDuration, kInt, "Milliseconds", 0, whole<1'000'000>},
    {GoKind::kDuration, kInt, "Microseconds", 0, whole<1'000>},
    {GoKind::kDuration, kInt, "Nanoseconds", 0, whole<1>},
    {GoKind::kDuration, kString, "String", 0, text},
    {GoKind::kDuration, kDuration, "Abs", 0, absolute},
    {GoKind::kDuration, kDuration, "Truncate", 1, truncate_duration},
    {GoKind::kDuration, kDuration, "Round", 1, round_duration},
    {GoKind::kMonth, kString, "String", 0, text},
    {GoKind::kWeekday, kString, "String", 0, text},
    {GoKind::kLocation, kString, "String", 0, text},
};

}  // namespace

std::optional<StaticKind> method_result(StaticKind kind, std::string_view name) {
  for (const auto& methods : {std::span<const Method>(kMethods), version_methods()}) {
    for (const Method& method : methods) {
      if (static_kind(method.kind) == kind && method.name == name) return method.result;
    }
  }
  return std::nullopt;
}

Result<doc::Value> call_method(const doc::Value& value, std::string_view name, Arguments arguments) {
  const auto kind = go_kind(value);
  const bool version = kind == GoKind::kVersion || kind == GoKind::kVersionPointer;
  std::vector<std::string> known;
  for (const Method& method : version ? version_methods() : std::span<const Method>(kMethods)) {
    if (method.kind != kind) continue;
    if (method.name != name) {
      known.emplace_back(method.name);
      continue;
    }
    if (method.arguments != arguments.size()) {
      return bad_argument("invalid number of arguments for " + std::string(name) + " (expected " +
                          std::to_string(method.arguments) + ", got " + std::to_string(arguments.size()) + ")");
    }
    return method.call(value, arguments);
  }
  return bad_argument("type " + std::string(go_type(value)) + " has no method " + std::string(name) +
                      did_you_mean(name, known));
}

}  // namespace tiphys::expr
