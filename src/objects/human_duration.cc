#include "objects/human_duration.h"

#include <fmt/format.h>

namespace tiphys::objects {
namespace {

constexpr std::int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour, kYear = 365 * kDay;

/// "3m20s", or "3m" when nothing remains.
std::string two(std::int64_t value, std::int64_t unit, const char* name, std::int64_t smaller,
                const char* smaller_name) {
  const std::int64_t rest = value % unit / smaller;
  return rest == 0 ? fmt::format("{}{}", value / unit, name)
                   : fmt::format("{}{}{}{}", value / unit, name, rest, smaller_name);
}

}  // namespace

std::string human_duration(Duration duration) {
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 2 * kMinute) return fmt::format("{}s", seconds);
  if (seconds < 10 * kMinute) return two(seconds, kMinute, "m", 1, "s");
  if (seconds < 3 * kHour) return fmt::format("{}m", seconds / kMinute);
  if (seconds < 8 * kHour) return two(seconds, kHour, "h", kMinute, "m");
  if (seconds < 2 * kDay) return fmt::format("{}h", seconds / kHour);
  if (seconds < 8 * kDay) return two(seconds, kDay, "d", kHour, "h");
  if (seconds < 2 * kYear) return fmt::format("{}d", seconds / kDay);
  if (seconds < 8 * kYear) return two(seconds, kYear, "y", kDay, "d");
  return fmt::format("{}y", seconds / kYear);
}

std::string age_since(std::string_view rfc3339, Time now) {
  const auto since = parse_rfc3339(rfc3339);
  return since ? human_duration(now - *since) : std::string("<unknown>");
}

}  // namespace tiphys::objects
