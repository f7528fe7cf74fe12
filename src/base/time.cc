#include "base/time.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <limits>

namespace tiphys {
namespace {

using namespace std::chrono;

struct Broken {
  year_month_day date;
  hh_mm_ss<nanoseconds> clock;
};

Broken break_down(Time time) {
  const auto day = floor<days>(time);
  return {year_month_day{day}, hh_mm_ss<nanoseconds>{time - day}};
}

/// Reads exactly `count` digits at `at` and moves it on; -1 when they are not there.
int digits(std::string_view text, std::size_t& at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const char c = text[at + i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  at += count;
  return value;
}

bool take(std::string_view text, std::size_t& at, char expected) {
  if (at >= text.size() || std::toupper(static_cast<unsigned char>(text[at])) != expected) return false;
  ++at;
  return true;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::uint64_t unit_nanoseconds(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us" || unit == "\u00b5s" || unit == "\u03bcs") return 1'000;
  if (unit == "ms") return 1'000'000;
  if (unit == "s") return 1'000'000'000;
  if (unit == "m") return 60'000'000'000;
  if (unit == "h") return 3'600'000'000'000;
  return 0;
}

constexpr std::uint64_t kMostNanoseconds = std::uint64_t{1} << 63;  // of a negative duration

/// "1.25" of a duration. The parts are integers, as Go's, so that no nanosecond is lost.
struct DurationNumber {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;
  double scale = 1;        ///< of the fraction
  std::size_t digits = 0;  ///< of both
  bool fits = true;

  /// Takes what `text` begins with.
  explicit DurationNumber(std::string_view& text) {
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++digits) {
      fits = fits && whole <= kMostNanoseconds / 10;
      if (fits) whole = whole * 10 + static_cast<std::uint64_t>(text[0] - '0');
    }
    if (!text.starts_with('.')) return;
    for (text.remove_prefix(1); !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++digits) {
      if (fraction >= kMostNanoseconds / 10) continue;  // far below a nanosecond
      fraction = fraction * 10 + static_cast<std::uint64_t>(text[0] - '0');
      scale *= 10;
    }
  }

  /// The nanoseconds; more than any duration has when there are too many.
  std::uint64_t times(std::uint64_t unit) const {
    if (!fits || whole > kMostNanoseconds / unit) return std::numeric_limits<std::uint64_t>::max();
    return whole * unit +
           static_cast<std::uint64_t>(static_cast<double>(fraction) * (static_cast<double>(unit) / scale));
  }
};

/// `value` as a decimal with at most `places` digits after the point and no zeros at the end.
std::string trimmed(std::uint64_t whole, std::uint64_t fraction, int places) {
  if (fraction == 0) return fmt::format("{}", whole);
  std::string text = fmt::format("{}.{:0{}}", whole, fraction, places);
  while (text.back() == '0') text.pop_back();
  return text;
}

}  // namespace

Time system_now() {
  return time_point_cast<nanoseconds>(system_clock::now());
}

std::string format_rfc3339(Time time) {
  if (time == Time{}) return "";
  const auto [date, clock] = break_down(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string format_rfc3339_micro(Time time) {
  std::string text = format_rfc3339(time);
  if (text.empty()) return text;
  text.pop_back();
  const auto micro = duration_cast<microseconds>(time - floor<seconds>(time)).count();
  return fmt::format("{}.{:06}Z", text, micro);
}

Result<Time> parse_rfc3339(std::string_view text) {
  const auto bad = [&] {
    return fail(Code::kInvalidArgument,
                fmt::format("\"{}\" is not a time of RFC 3339, such as 2026-01-31T12:00:00Z", text));
  };
  std::size_t at = 0;
  const int y = digits(text, at, 4);
  if (y < 0 || !take(text, at, '-')) return bad();
  const int mo = digits(text, at, 2);
  if (mo < 1 || !take(text, at, '-')) return bad();
  const int d = digits(text, at, 2);
  if (d < 1 || !take(text, at, 'T')) return bad();
  const int h = digits(text, at, 2);
  if (h < 0 || h > 23 || !take(text, at, ':')) return bad();
  const int mi = digits(text, at, 2);
  if (mi < 0 || mi > 59 || !take(text, at, ':')) return bad();
  const int s = digits(text, at, 2);
  if (s < 0 || s > 60) return bad();
  nanoseconds fraction{0};
  if (at < text.size() && text[at] == '.') {
    ++at;
    long long scale = 100'000'000;
    const std::size_t first = at;
    for (; at < text.size() && is_digit(text[at]); ++at, scale /= 10) {
      fraction += nanoseconds{(text[at] - '0') * scale};
    }
    if (at == first) return bad();
  }
  minutes offset{0};
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    const int sign = text[at++] == '+' ? 1 : -1;
    const int oh = digits(text, at, 2);
    if (oh < 0 || !take(text, at, ':')) return bad();
    const int om = digits(text, at, 2);
    if (om < 0) return bad();
    offset = sign * (hours{oh} + minutes{om});
  } else if (!take(text, at, 'Z')) {
    return bad();
  }
  const year_month_day date{year{y}, month{unsigned(mo)}, day{unsigned(d)}};
  if (at != text.size() || !date.ok()) return bad();
  if (y < 1678 || y > 2261) {  // what 64 bits of nanoseconds do not reach
    return fail(Code::kOutOfRange, fmt::format("\"{}\" is not in the years 1678 to 2261", text));
  }
  return Time{sys_days{date}.time_since_epoch() + hours{h} + minutes{mi} + seconds{s} + fraction - offset};
}

Result<Duration> parse_go_duration(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(Code::kInvalidArgument,
                fmt::format("\"{}\" is not a duration: {}; write it like 90s, 1.5h or 2h45m", text, why));
  };
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return Duration{0};
  if (rest.empty()) return bad("it is empty");
  std::uint64_t total = 0;
  while (!rest.empty()) {
    const DurationNumber number(rest);
    if (number.digits == 0) return bad("a number is missing");
    std::size_t end = 0;
    while (end < rest.size() && rest[end] != '.' && !is_digit(rest[end])) ++end;
    if (end == 0) return bad("a unit is missing");
    const std::uint64_t unit = unit_nanoseconds(rest.substr(0, end));
    if (unit == 0) return bad(fmt::format("\"{}\" is no unit of time", rest.substr(0, end)));
    rest.remove_prefix(end);
    const std::uint64_t part = number.times(unit);
    if (part > kMostNanoseconds - total) return bad("it is over 292 years");
    total += part;
  }
  if (total == kMostNanoseconds && !negative) return bad("it is over 292 years");
  return Duration{static_cast<std::int64_t>(negative ? 0 - total : total)};
}

Result<Duration> parse_seconds_or_duration(std::string_view text) {
  constexpr std::size_t kMostDigits = 9;
  if (!text.empty() && text.size() <= kMostDigits && text.find_first_not_of("0123456789") == std::string_view::npos) {
    return seconds{std::stoll(std::string(text))};
  }
  return parse_go_duration(text);
}

std::string format_go_duration(Duration duration) {
  if (duration == Duration{0}) return "0s";
  const std::string sign = duration < Duration{0} ? "-" : "";
  auto count = static_cast<std::uint64_t>(duration.count());
  if (duration < Duration{0}) count = 0 - count;
  if (count < 1'000) return fmt::format("{}{}ns", sign, count);
  if (count < 1'000'000) return sign + trimmed(count / 1'000, count % 1'000, 3) + "\u00b5s";
  if (count < 1'000'000'000) return sign + trimmed(count / 1'000'000, count % 1'000'000, 6) + "ms";
  const std::uint64_t whole = count / 1'000'000'000;
  std::string text = sign;
  if (whole >= 3600) text += fmt::format("{}h", whole / 3600);
  if (whole >= 60) text += fmt::format("{}m", whole / 60 % 60);
  return text + trimmed(whole % 60, count % 1'000'000'000, 9) + "s";
}

}  // namespace tiphys
