// sprig's functions of times.
#include "expr/arguments.h"
#include "expr/go_layout.h"
#include "expr/go_text.h"
#include "expr/go_value.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

constexpr std::string_view kDate = "2006-01-02";
constexpr std::int64_t kSecond = 1'000'000'000;

/// A time, seconds since 1970, or else now.
GoTime time_or_now(const doc::Value& value, const Ambient& ambient) {
  if (const auto time = go_time(value)) return *time;
  if (value.is_int64()) return {.seconds = value.get_int64(), .nanos = 0, .zone = {}};
  return from_time(ambient.now);
}

/// A time argument; nil is Go's zero time.
Result<GoTime> time_argument(Arguments arguments, std::size_t index) {
  if (const auto time = go_time(*arguments[index])) return *time;
  if (arguments[index]->is_null()) return GoTime{.seconds = kZeroTimeSeconds, .nanos = 0, .zone = {}};
  return bad_argument("cannot use " + std::string(go_type(*arguments[index])) + " as argument (type time.Time)");
}

doc::Value formatted(GoTime time, std::string_view layout, std::string_view zone_name) {
  time.zone = load_zone(std::string(zone_name)).value_or(GoZone{});
  return doc::Value(format_time(time, layout));
}

Value now(Arguments, const Ambient& ambient) {
  return make_go_value(from_time(ambient.now));
}

Value date(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const auto layout, text_argument(arguments, 0));
  return formatted(time_or_now(*arguments[1], ambient), layout, "");
}
Value date_in_zone(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const auto layout, text_argument(arguments, 0));
  TIPHYS_TRY(const auto zone, text_argument(arguments, 2));
  return formatted(time_or_now(*arguments[1], ambient), layout, zone);
}
Value html_date(Arguments arguments, const Ambient& ambient) {
  return formatted(time_or_now(*arguments[0], ambient), kDate, "");
}
Value html_date_in_zone(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const auto zone, text_argument(arguments, 1));
  return formatted(time_or_now(*arguments[0], ambient), kDate, zone);
}

Value must_date_modify(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const GoTime time, time_argument(arguments, 1));
  TIPHYS_TRY(const Duration by, parse_go_duration(text));
  return make_go_value(add(time, by));
}
Value date_modify(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const GoTime time, time_argument(arguments, 1));
  return make_go_value(add(time, parse_go_duration(text).value_or(Duration{0})));
}

Value must_to_date(Arguments arguments) {
  TIPHYS_TRY(const auto layout, text_argument(arguments, 0));
  TIPHYS_TRY(const auto text, text_argument(arguments, 1));
  TIPHYS_TRY(const GoTime time, parse_time(layout, text, {}));
  return make_go_value(time);
}
Value to_date(Arguments arguments) {
  TIPHYS_TRY(const auto layout, text_argument(arguments, 0));
  TIPHYS_TRY(const auto text, text_argument(arguments, 1));
  return make_go_value(
      parse_time(layout, text, {}).value_or(GoTime{.seconds = kZeroTimeSeconds, .nanos = 0, .zone = {}}));
}

Value ago(Arguments arguments, const Ambient& ambient) {
  const Duration since = subtract(from_time(ambient.now), time_or_now(*arguments[0], ambient));
  return doc::Value(format_go_duration(std::chrono::round<std::chrono::seconds>(since)));
}

/// Seconds as a duration's text.
Value duration(Arguments arguments) {
  const doc::Value& value = *arguments[0];
  std::int64_t seconds = 0;
  if (value.is_string()) {
    seconds = parse_go_int(value.get_string()).value_or(0);
  } else if (value.is_int64()) {
    seconds = value.get_int64();
  }
  const auto nanos = static_cast<std::uint64_t>(seconds) * static_cast<std::uint64_t>(kSecond);
  return doc::Value(format_go_duration(Duration{static_cast<std::int64_t>(nanos)}));
}

/// The largest unit of which there is more than one whole.
Value duration_round(Arguments arguments, const Ambient& ambient) {
  const doc::Value& value = *arguments[0];
  Duration duration{0};
  if (value.is_string()) {
    duration = parse_go_duration(value.get_string()).value_or(Duration{0});
  } else if (value.is_int64()) {
    duration = Duration{value.get_int64()};
  } else if (const auto time = go_time(value)) {
    duration = subtract(from_time(ambient.now), *time);
  }
  const auto signed_nanos = duration.count();
  const std::uint64_t nanos =
      signed_nanos < 0 ? 0 - static_cast<std::uint64_t>(signed_nanos) : static_cast<std::uint64_t>(signed_nanos);
  constexpr std::uint64_t kHour = 3600ull * kSecond;
  constexpr std::pair<std::uint64_t, std::string_view> kUnits[] = {
      {kHour * 24 * 365, "y"}, {kHour * 24 * 30, "mo"}, {kHour * 24, "d"}, {kHour, "h"},
      {60ull * kSecond, "m"},  {kSecond, "s"},
  };
  for (const auto& [unit, letter] : kUnits) {
    if (nanos > unit) return doc::Value(std::to_string(nanos / unit) + std::string(letter));
  }
  return doc::Value("0s");
}

Value unix_epoch(Arguments arguments) {
  TIPHYS_TRY(const GoTime time, time_argument(arguments, 0));
  return doc::Value(std::to_string(time.seconds));
}

constexpr Function kFunctions[] = {
    {"now", 0, 0, nullptr, StaticKind::kUnknown, 0, now},
    {"date", 2, 2, nullptr, StaticKind::kUnknown, 0, date},
    {"dateInZone", 3, 3, nullptr, StaticKind::kUnknown, 0, date_in_zone},
    {"date_in_zone", 3, 3, nullptr, StaticKind::kUnknown, 0, date_in_zone},
    {"htmlDate", 1, 1, nullptr, StaticKind::kUnknown, 0, html_date},
    {"htmlDateInZone", 2, 2, nullptr, StaticKind::kUnknown, 0, html_date_in_zone},
    {"dateModify", 2, 2, date_modify},
    {"date_modify", 2, 2, date_modify},
    {"mustDateModify", 2, 2, must_date_modify},
    {"must_date_modify", 2, 2, must_date_modify},
    {"toDate", 2, 2, to_date},
    {"mustToDate", 2, 2, must_to_date},
    {"ago", 1, 1, nullptr, StaticKind::kUnknown, 0, ago},
    {"duration", 1, 1, duration},
    {"durationRound", 1, 1, nullptr, StaticKind::kUnknown, 0, duration_round},
    {"unixEpoch", 1, 1, unix_epoch},
};

}  // namespace

std::span<const Function> sprig_time_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr
