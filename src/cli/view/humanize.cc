#include "cli/view/humanize.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>
#include <span>

namespace tiphys::cli {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kDay = hours(24);
constexpr Duration kWeek = 7 * kDay;
constexpr Duration kMonth = 30 * kDay;
constexpr Duration kYear = 12 * kMonth;
constexpr Duration kLongTime = 37 * kYear;

/// A duration below `limit` is told as `text`, its "{}" standing for the number of `unit`.
struct Magnitude {
  Duration limit;
  std::string_view text;
  Duration unit;
};

constexpr Magnitude kShort[] = {
    {seconds(1), "0s", seconds(1)}, {seconds(2), "1s", seconds(1)}, {minutes(1), "{}s", seconds(1)},
    {minutes(2), "1m", minutes(1)}, {hours(1), "{}m", minutes(1)},  {hours(2), "1h", hours(1)},
    {kDay, "{}h", hours(1)},        {2 * kDay, "1d", kDay},         {kWeek, "{}d", kDay},
};

constexpr Magnitude kWords[] = {
    {seconds(1), "0 seconds", seconds(1)},
    {seconds(2), "1 second", seconds(1)},
    {minutes(1), "{} seconds", seconds(1)},
    {minutes(2), "1 minute", minutes(1)},
    {hours(1), "{} minutes", minutes(1)},
    {hours(2), "1 hour", hours(1)},
    {kDay, "{} hours", hours(1)},
    {2 * kDay, "1 day", kDay},
    {kWeek, "{} days", kDay},
    {2 * kWeek, "1 week", kWeek},
    {kMonth, "{} weeks", kWeek},
    {2 * kMonth, "1 month", kMonth},
    {kYear, "{} months", kMonth},
    {18 * kMonth, "1 year", kYear},
    {2 * kYear, "2 years", kYear},
    {kLongTime, "{} years", kYear},
    {Duration::max(), "a long while", kYear},
};

std::string tell(Duration duration, std::span<const Magnitude> magnitudes) {
  if (duration < Duration::zero()) duration = -duration;
  const Magnitude* chosen = &magnitudes.back();
  for (const auto& magnitude : magnitudes) {
    if (magnitude.limit > duration) {
      chosen = &magnitude;
      break;
    }
  }
  return fmt::format(fmt::runtime(chosen->text), duration / chosen->unit);
}

Duration between(Time start, Time finish, Time now) {
  if (finish == Time{} && start != Time{}) finish = now;
  return finish - start;
}

std::string format_local(Time time, const char* format) {
  const std::time_t whole = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(std::chrono::floor<seconds>(time)));
  std::tm parts{};
  localtime_r(&whole, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

}  // namespace

std::string short_duration(Time start, Time finish, Time now) {
  return tell(between(start, finish, now), kShort);
}

std::string long_duration(Time start, Time finish, Time now) {
  const Duration duration = between(start, finish, now);
  std::string first = tell(duration, kWords);
  if (duration < minutes(1)) return first;
  if (duration < hours(1)) return fmt::format("{} {} seconds", first, duration % minutes(1) / seconds(1));
  if (duration < hours(24)) return fmt::format("{} {} minutes", first, duration % hours(1) / minutes(1));
  return fmt::format("{} {} hours", first, duration % hours(24) / hours(1));
}

std::string timestamp_with_age(Time time, Time now) {
  const Duration age = now - time;
  const bool ahead = age < Duration::zero();
  std::string told = "now";
  if (age >= seconds(1) || age <= -seconds(1)) told = tell(age, kWords) + (ahead ? " from now" : " ago");
  return fmt::format("{} ({})", format_local(time, "%a %b %d %H:%M:%S %z"), told);
}

std::string clock_time(Time time) {
  return format_local(time, "%H:%M:%S");
}

std::string elapsed_time(Duration elapsed) {
  elapsed = std::max(elapsed, Duration::zero());
  const double exact = std::chrono::duration<double>(elapsed).count();
  if (exact < 0.995) return fmt::format("{:.2f}s", exact);
  if (exact < 9.95) return fmt::format("{:.1f}s", exact);
  return elapsed_seconds(elapsed);
}

std::string elapsed_seconds(Duration elapsed) {
  const auto whole = std::chrono::floor<seconds>(std::max(elapsed, Duration::zero())).count();
  if (whole < 10) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

Result<Duration> parse_age(std::string_view text) {
  if (text.ends_with('d')) {
    std::int64_t days = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size() - 1, days);
    if (error == std::errc() && end == text.data() + text.size() - 1 && days >= 0 && days <= 36500) return days * kDay;
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not a duration such as 10m, 3h or 1d", text));
  }
  auto duration = parse_go_duration(text);
  if (!duration)
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not a duration such as 10m, 3h or 1d", text));
  return *duration;
}

}  // namespace tiphys::cli
