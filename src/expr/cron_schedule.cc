#include "expr/cron_schedule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <span>

#include "base/strings.h"
#include "expr/go_strings.h"

namespace tiphys::expr {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
constexpr int kYearsAhead = 5;
/// More than any search needs that ends: where a day was left out of the calendar the original goes round in circles.
constexpr int kMostSteps = 100'000;

struct Bounds {
  std::int64_t least, most;
  std::span<const std::string_view> names;  ///< of the values from `least` on
};

constexpr std::string_view kMonthNames[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                            "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdayNames[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr Bounds kMinutes{0, 59, {}}, kHours{0, 23, {}}, kDays{1, 31, {}}, kMonths{1, 12, kMonthNames},
    kWeekdays{0, 6, kWeekdayNames};

std::unexpected<Error> wrong(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

/// strconv.Atoi of what may not be negative.
Result<std::int64_t> read_number(std::string_view text) {
  const auto failed = [&](std::string_view why) {
    return wrong(fmt::format("failed to parse int from {0}: strconv.Atoi: parsing \"{0}\": {1}", text, why));
  };
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool signed_twice = digits.size() < text.size() && digits.starts_with('-');
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size() || signed_twice) {
    return failed("invalid syntax");
  }
  if (error == std::errc::result_out_of_range) return failed("value out of range");
  if (number < 0) return wrong(fmt::format("negative number ({}) not allowed: {}", number, text));
  return number;
}

Result<std::int64_t> read_value(std::string_view text, const Bounds& bounds) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (std::size_t i = 0; i < bounds.names.size(); ++i) {
    if (bounds.names[i] == lower) return bounds.least + static_cast<std::int64_t>(i);
  }
  return read_number(text);
}

std::uint64_t bits_of(std::int64_t first, std::int64_t last, std::int64_t step) {
  std::uint64_t bits = 0;
  for (std::int64_t i = first; i <= last; i += step) {
    bits |= std::uint64_t{1} << i;
    if (step > last) break;
  }
  return bits;
}

/// "*", "3", "1-5", each with "/STEP" or without.
Result<std::uint64_t> read_range(std::string_view text, const Bounds& bounds, std::uint64_t star) {
  const auto range_and_step = go_split(text, "/");
  const auto ends = go_split(range_and_step[0], "-");
  std::int64_t first = bounds.least, last = bounds.most, step = 1;
  std::uint64_t extra = star;
  if (ends[0] != "*" && ends[0] != "?") {
    extra = 0;
    TIPHYS_TRY(first, read_value(ends[0], bounds));
    last = first;
    if (ends.size() > 2) return wrong(fmt::format("too many hyphens: {}", text));
    if (ends.size() == 2) {
      TIPHYS_TRY(last, read_value(ends[1], bounds));
    }
  }
  if (range_and_step.size() > 2) return wrong(fmt::format("too many slashes: {}", text));
  if (range_and_step.size() == 2) {
    TIPHYS_TRY(step, read_number(range_and_step[1]));
    if (ends.size() == 1) last = bounds.most;  // "5/10" goes on to the end
    if (step > 1) extra = 0;
  }
  if (first < bounds.least) {
    return wrong(fmt::format("beginning of range ({}) below minimum ({}): {}", first, bounds.least, text));
  }
  if (last > bounds.most) {
    return wrong(fmt::format("end of range ({}) above maximum ({}): {}", last, bounds.most, text));
  }
  if (first > last) {
    return wrong(fmt::format("beginning of range ({}) beyond end of range ({}): {}", first, last, text));
  }
  if (step == 0) return wrong(fmt::format("step of range should be a positive number: {}", text));
  return bits_of(first, last, step) | extra;
}

Status read_field(std::string_view text, const Bounds& bounds, std::uint64_t star, std::uint64_t& out) {
  for (const std::string_view range : go_split(text, ",")) {
    if (range.empty()) continue;
    TIPHYS_TRY(const std::uint64_t bits, read_range(range, bounds, star));
    out |= bits;
  }
  return {};
}

bool has(std::uint64_t bits, std::int64_t value) {
  return (bits >> value & 1) != 0;
}

enum class Part { kMonth, kDay, kHour };

/// When the month, day or hour of `time` begins.
GoTime start_of(Part part, const GoTime& time) {
  CivilTime civil = civil_time(time);
  if (part == Part::kMonth) civil.day = 1;
  if (part != Part::kHour) civil.hour = 0;
  civil.minute = civil.second = 0;
  return make_time(civil, 0, time.zone);
}

/// time.AddDate: the same time of the day.
GoTime add_date(const GoTime& time, std::int64_t months, std::int64_t days) {
  CivilTime civil = civil_time(time);
  civil.month += months;
  civil.day += days;
  return make_time(civil, time.nanos, time.zone);
}

}  // namespace

Result<CronSchedule> CronSchedule::parse(std::string_view text) {
  CronSchedule schedule;
  if (text.empty()) return wrong("empty spec string");
  if (text.starts_with("TZ=") || text.starts_with("CRON_TZ=")) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) {
      return wrong(fmt::format("there is no schedule behind the time zone: {}", text));
    }
    const auto name_at = text.find('=') + 1;
    const std::string name(text.substr(name_at, space - name_at));
    const auto zone = load_zone(name);
    if (!zone) return wrong(fmt::format("provided bad location {}: {}", name, zone.error().message));
    if (name != "Local") schedule.zone_ = *zone;
    text = trim(text.substr(space));
  }
  TIPHYS_CHECK_OK(text.starts_with('@') ? schedule.read_descriptor(text) : schedule.read_fields(text));
  return schedule;
}

Status CronSchedule::read_descriptor(std::string_view text) {
  if (text == "@yearly" || text == "@annually") return read_fields("0 0 1 1 *");
  if (text == "@monthly") return read_fields("0 0 1 * *");
  if (text == "@weekly") return read_fields("0 0 * * 0");
  if (text == "@daily" || text == "@midnight") return read_fields("0 0 * * *");
  if (text == "@hourly") return read_fields("0 * * * *");
  constexpr std::string_view kEvery = "@every ";
  if (!text.starts_with(kEvery)) return wrong(fmt::format("unrecognized descriptor: {}", text));
  const std::string_view written = text.substr(kEvery.size());
  const auto duration = parse_go_duration(written);
  if (!duration) return wrong(fmt::format("failed to parse duration {}: {}", written, duration.error().message));
  interval_ = std::max(*duration - *duration % kSecond, kSecond);
  return {};
}

Status CronSchedule::read_fields(std::string_view text) {
  const auto fields = go_fields(text);
  if (fields.size() != 5) {
    return wrong(fmt::format("expected exactly 5 fields, found {}: [{}]", fields.size(), fmt::join(fields, " ")));
  }
  TIPHYS_CHECK_OK(read_field(fields[0], kMinutes, kStar, fields_.minute));
  TIPHYS_CHECK_OK(read_field(fields[1], kHours, kStar, fields_.hour));
  TIPHYS_CHECK_OK(read_field(fields[2], kDays, kStar, fields_.day));
  TIPHYS_CHECK_OK(read_field(fields[3], kMonths, kStar, fields_.month));
  return read_field(fields[4], kWeekdays, kStar, fields_.weekday);
}

std::optional<Time> CronSchedule::next(Time after, const GoZone& local) const {
  const Time second = std::chrono::floor<std::chrono::seconds>(after);
  if (interval_) return second + *interval_;
  GoTime time = from_time(second + kSecond);
  time.zone = zone_.value_or(local);
  return search(std::move(time));
}

/// Step by step as the original: where a change of the clock lies on the way, the steps decide.
std::optional<Time> CronSchedule::search(GoTime time) const {
  bool moved = false;  // the parts below the one that is looked for are at their beginning
  CivilTime civil = civil_time(time);
  const std::int64_t last_year = civil.year + kYearsAhead;
  int steps = 0;
  const auto go_to = [&](GoTime to) {
    ++steps;
    time = std::move(to);
    civil = civil_time(time);
  };
  const auto start_at = [&](GoTime to) {
    if (!moved) go_to(std::move(to));
    moved = true;
  };
  const auto find_month = [&] {
    while (!has(fields_.month, civil.month)) {
      start_at(start_of(Part::kMonth, time));
      go_to(add_date(time, 1, 0));
      if (civil.month == 1) return false;
    }
    return true;
  };
  const auto find_day = [&] {
    while (steps < kMostSteps && !day_matches(civil)) {
      start_at(start_of(Part::kDay, time));
      go_to(add_date(time, 0, 1));
      // There may be no midnight on that day.
      if (civil.hour > 12) {
        go_to(add(time, std::chrono::hours(24 - civil.hour)));
      } else if (civil.hour != 0) {
        go_to(add(time, std::chrono::hours(-civil.hour)));
      }
      if (civil.day == 1) return false;
    }
    return steps < kMostSteps;
  };
  const auto find_hour = [&] {
    while (!has(fields_.hour, civil.hour)) {
      start_at(start_of(Part::kHour, time));
      go_to(add(time, std::chrono::hours(1)));
      if (civil.hour == 0) return false;
    }
    return true;
  };
  const auto find_minute = [&] {
    while (!has(fields_.minute, civil.minute)) {
      start_at(add(time, -std::chrono::seconds(((time.seconds % 60) + 60) % 60)));
      go_to(add(time, std::chrono::minutes(1)));
      if (civil.minute == 0) return false;
    }
    return true;
  };
  const auto find_second = [&] {
    while (civil.second != 0) {
      moved = true;
      go_to(add(time, kSecond));
      if (civil.second == 0) return false;
    }
    return true;
  };
  while (civil.year <= last_year && steps < kMostSteps) {
    if (find_month() && find_day() && find_hour() && find_minute() && find_second()) {
      return Time(std::chrono::seconds(time.seconds));
    }
  }
  return std::nullopt;
}

bool CronSchedule::day_matches(const CivilTime& time) const {
  const bool day = has(fields_.day, time.day), weekday = has(fields_.weekday, time.weekday);
  return ((fields_.day | fields_.weekday) & kStar) != 0 ? day && weekday : day || weekday;
}

}  // namespace tiphys::expr
