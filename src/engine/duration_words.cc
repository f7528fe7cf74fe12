#include "engine/duration_words.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace tiphys::engine {
namespace {

using std::chrono::seconds;

std::string unit(std::int64_t count, std::string_view name) {
  return count == 1 ? fmt::format("1 {}", name) : fmt::format("{} {}s", count, name);
}

/// Rounded down to one unit.
std::string one_unit(std::int64_t whole_seconds) {
  constexpr std::int64_t kMinute = 60, kHour = 3600, kDay = 86400, kWeek = 7 * kDay, kMonth = 30 * kDay,
                         kYear = 12 * kMonth;
  if (whole_seconds < 1) return "0 seconds";
  if (whole_seconds < kMinute) return unit(whole_seconds, "second");
  if (whole_seconds < kHour) return unit(whole_seconds / kMinute, "minute");
  if (whole_seconds < kDay) return unit(whole_seconds / kHour, "hour");
  if (whole_seconds < kWeek) return unit(whole_seconds / kDay, "day");
  if (whole_seconds < kMonth) return unit(whole_seconds / kWeek, "week");
  if (whole_seconds < kYear) return unit(whole_seconds / kMonth, "month");
  if (whole_seconds < 18 * kMonth) return "1 year";
  if (whole_seconds < 2 * kYear) return "2 years";
  if (whole_seconds < 37 * kYear) return unit(whole_seconds / kYear, "year");
  return "a long while";
}

}  // namespace

std::string duration_words(Duration duration) {
  const std::int64_t whole = std::chrono::floor<seconds>(duration).count();
  std::string words = one_unit(whole);
  if (whole < 60) return words;
  if (whole < 3600) return fmt::format("{} {} seconds", words, whole % 60);
  if (whole < 86400) return fmt::format("{} {} minutes", words, whole / 60 % 60);
  return fmt::format("{} {} hours", words, whole / 3600 % 24);
}

std::string go_time(Time time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} +0000 UTC", std::chrono::floor<seconds>(time));
}

std::string whole_seconds(Time from, Time to) {
  return fmt::format("{}", (std::chrono::floor<seconds>(to) - std::chrono::floor<seconds>(from)).count());
}

}  // namespace tiphys::engine
