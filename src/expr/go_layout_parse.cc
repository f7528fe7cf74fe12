#include <algorithm>
#include <chrono>
#include <optional>

#include "expr/go_layout.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

using Part = LayoutPart;

bool is_digit(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

/// Go's quotes in these messages: no escapes but for what is neither printable nor ASCII.
std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || byte < ' ') {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

/// Reads a text along a layout.
class TimeReader {
 public:
  TimeReader(std::string_view layout, std::string_view text) : layout_(layout), text_(text), rest_(text) {}

  Status read() {
    for (std::string_view layout = layout_;;) {
      const LayoutStep step = next_layout_part(layout);
      if (!skip(step.prefix)) return cannot_parse(rest_, step.prefix);
      if (step.part == Part::kNone) break;
      const std::string_view before = rest_;
      layout = step.rest;
      const bool read = read_part(step, layout);
      if (out_of_range_) return error(": " + std::string(out_of_range_) + " out of range");
      if (!read) return cannot_parse(before, step.text);
    }
    if (!rest_.empty()) return error(": extra text: " + quoted(rest_));
    return finish();
  }

  GoTime time(const GoZone& zone) const {
    if (utc_) return make_time(civil_, nanos_, GoZone{});
    if (offset_) {
      GoTime made = make_time(civil_, nanos_, GoZone{});
      made.seconds -= *offset_;
      return in_offset(made, zone, *offset_);
    }
    if (!zone_name_.empty()) return of_named_zone(zone);
    return make_time(civil_, nanos_, zone);
  }

 private:
  /// In `zone` when it has this offset then, else in a zone of its own.
  GoTime in_offset(GoTime made, const GoZone& zone, std::int32_t offset) const {
    const CivilTime there = civil_time({made.seconds, made.nanos, zone});
    const bool same = there.offset == offset && (zone_name_.empty() || there.abbreviation == zone_name_);
    made.zone = same ? zone : GoZone{.name = "", .offset = offset, .abbreviation = zone_name_};
    return made;
  }

  GoTime of_named_zone(const GoZone& zone) const {
    GoTime made = make_time(civil_, nanos_, zone);
    if (civil_time(made).abbreviation == zone_name_) return made;
    made = make_time(civil_, nanos_, GoZone{});
    std::int32_t offset = 0;
    if (zone_name_.starts_with("GMT") && zone_name_.size() > 3) {
      const std::int32_t hours = std::stoi(zone_name_.substr(4));
      offset = (zone_name_[3] == '-' ? -hours : hours) * 3600;
    }
    made.zone = {.name = "", .offset = offset, .abbreviation = zone_name_};
    return made;
  }

  std::unexpected<Error> error(std::string message) const {
    return fail(Code::kInvalidArgument, "parsing time " + quoted(text_) + std::move(message));
  }
  std::unexpected<Error> cannot_parse(std::string_view value, std::string_view part) const {
    return error(" as " + quoted(layout_) + ": cannot parse " + quoted(value) + " as " + quoted(part));
  }

  /// Literal text; runs of spaces are alike.
  bool skip(std::string_view prefix) {
    const auto cut_spaces = [](std::string_view& text) {
      text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    };
    while (!prefix.empty()) {
      if (prefix[0] == ' ') {
        if (!rest_.empty() && rest_[0] != ' ') return false;
        cut_spaces(prefix);
        cut_spaces(rest_);
        continue;
      }
      if (rest_.empty() || rest_[0] != prefix[0]) return false;
      prefix.remove_prefix(1);
      rest_.remove_prefix(1);
    }
    return true;
  }

  /// Up to `most` digits; all of them when `fixed`.
  bool number(std::size_t most, bool fixed, std::int64_t& out) {
    std::size_t count = 0;
    std::int64_t value = 0;
    for (; count < most && is_digit(rest_, count); ++count) value = value * 10 + (rest_[count] - '0');
    if (count == 0 || (fixed && count < most)) return false;
    out = value;
    rest_.remove_prefix(count);
    return true;
  }

  bool within(std::int64_t value, std::int64_t least, std::int64_t most, const char* what) {
    if (value < least || value > most) out_of_range_ = what;
    return true;
  }

  template <typename Name>
  bool name(Name spelled, std::int64_t first, std::int64_t last, std::size_t length, std::int64_t& out) {
    for (std::int64_t i = first; i <= last; ++i) {
      const std::string_view wanted = spelled(i).substr(0, length);
      if (rest_.size() < wanted.size() || to_lower(rest_.substr(0, wanted.size())) != to_lower(wanted)) continue;
      out = i;
      rest_.remove_prefix(wanted.size());
      return true;
    }
    return false;
  }

  bool read_part(const LayoutStep& step, std::string_view layout) {
    constexpr std::size_t kShort = 3, kWhole = 20;
    std::int64_t ignored = 0;
    switch (step.part) {
      case Part::kNone:
        return true;
      case Part::kYear:
        if (!number(2, true, civil_.year)) return false;
        civil_.year += civil_.year >= 69 ? 1900 : 2000;
        return true;
      case Part::kLongYear:
        return number(4, true, civil_.year);
      case Part::kMonth:
        return name(month_name, 1, 12, kShort, month_);
      case Part::kLongMonth:
        return name(month_name, 1, 12, kWhole, month_);
      case Part::kNumMonth:
      case Part::kZeroMonth:
        return number(2, step.part == Part::kZeroMonth, month_) && within(month_, 1, 12, "month");
      case Part::kWeekday:
        return name(weekday_name, 0, 6, kShort, ignored);
      case Part::kLongWeekday:
        return name(weekday_name, 0, 6, kWhole, ignored);
      case Part::kDay:
      case Part::kUnderDay:
      case Part::kZeroDay:
        if (step.part == Part::kUnderDay && rest_.starts_with(' ')) rest_.remove_prefix(1);
        return number(2, step.part == Part::kZeroDay, day_);
      case Part::kUnderYearDay:
      case Part::kZeroYearDay:
        for (int i = 0; i < 2 && step.part == Part::kUnderYearDay && rest_.starts_with(' '); ++i)
          rest_.remove_prefix(1);
        return number(3, step.part == Part::kZeroYearDay, year_day_);
      case Part::kHour:
        return number(2, false, civil_.hour) && within(civil_.hour, 0, 23, "hour");
      case Part::kHour12:
      case Part::kZeroHour12:
        return number(2, step.part == Part::kZeroHour12, civil_.hour) && within(civil_.hour, 0, 12, "hour");
      case Part::kMinute:
      case Part::kZeroMinute:
        return number(2, step.part == Part::kZeroMinute, civil_.minute) && within(civil_.minute, 0, 59, "minute");
      case Part::kSecond:
      case Part::kZeroSecond:
        return number(2, step.part == Part::kZeroSecond, civil_.second) && within(civil_.second, 0, 59, "second") &&
               unasked_fraction(layout);
      case Part::kUpperPm:
        return half_of_day("AM", "PM");
      case Part::kLowerPm:
        return half_of_day("am", "pm");
      case Part::kZone:
        return zone(step.zone);
      case Part::kZoneName:
        return zone_name();
      case Part::kFraction:
        return fraction(static_cast<std::size_t>(step.digits));
      case Part::kShortFraction:
        if (!starts_fraction()) return true;
        return fraction(std::string_view::npos);
    }
    return false;
  }

  bool starts_fraction() const {
    return rest_.size() >= 2 && (rest_[0] == '.' || rest_[0] == ',') && is_digit(rest_, 1);
  }

  /// A second may have a fraction of which the layout says nothing.
  bool unasked_fraction(std::string_view layout) {
    if (out_of_range_ || !starts_fraction()) return true;
    const Part next = next_layout_part(layout).part;
    if (next == Part::kFraction || next == Part::kShortFraction) return true;
    return fraction(std::string_view::npos);
  }

  /// So many digits after a point or comma; npos: as many as there are. Those after the ninth do not count.
  bool fraction(std::size_t digits) {
    if (rest_.empty() || (rest_[0] != '.' && rest_[0] != ',')) return false;
    std::size_t count = 0;
    while (count < digits && is_digit(rest_, count + 1)) ++count;
    if (count == 0 || (digits != std::string_view::npos && count < digits)) return false;
    nanos_ = 0;
    for (std::size_t i = 1; i <= 9; ++i) nanos_ = nanos_ * 10 + (i <= count ? rest_[i] - '0' : 0);
    rest_.remove_prefix(count + 1);
    return true;
  }

  bool half_of_day(std::string_view morning, std::string_view evening) {
    const std::string_view half = rest_.substr(0, 2);
    if (half != morning && half != evening) return false;
    half_ = half == morning ? 'a' : 'p';
    rest_.remove_prefix(2);
    return true;
  }

  bool zone(const LayoutZone& form) {
    if (form.z_for_utc && rest_.starts_with('Z')) {
      rest_.remove_prefix(1);
      utc_ = true;
      return true;
    }
    if (rest_.empty() || (rest_[0] != '+' && rest_[0] != '-')) return false;
    const bool negative = rest_[0] == '-';
    rest_.remove_prefix(1);
    std::int64_t hours = 0, minutes = 0, seconds = 0;
    const auto colon = [&] {
      if (!form.colon) return true;
      if (!rest_.starts_with(':')) return false;
      rest_.remove_prefix(1);
      return true;
    };
    if (!number(2, true, hours)) return false;
    if (form.minutes && !(colon() && number(2, true, minutes))) return false;
    if (form.seconds && !(colon() && number(2, true, seconds))) return false;
    within(seconds, 0, 60, "time zone offset second");
    within(minutes, 0, 60, "time zone offset minute");
    within(hours, 0, 24, "time zone offset hour");
    const std::int64_t offset = (hours * 60 + minutes) * 60 + seconds;
    offset_ = static_cast<std::int32_t>(negative ? -offset : offset);
    return true;
  }

  bool zone_name() {
    if (rest_.starts_with("UTC")) {
      rest_.remove_prefix(3);
      utc_ = true;
      return true;
    }
    const std::size_t length = zone_name_length();
    if (length == 0) return false;
    zone_name_ = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }

  std::size_t zone_name_length() const {
    if (rest_.size() < 3) return 0;
    if (rest_.starts_with("ChST") || rest_.starts_with("MeST")) return 4;
    if (rest_.starts_with("GMT")) return 3 + signed_hours_length(rest_.substr(3));
    if (rest_[0] == '+' || rest_[0] == '-') return signed_hours_length(rest_);
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    std::size_t upper = 0;
    while (upper < 6 && upper < rest_.size() && is_upper(rest_[upper])) ++upper;
    if (upper == 3) return 3;
    if (upper == 4) return rest_[3] == 'T' || rest_.starts_with("WITA") ? 4 : 0;
    return upper == 5 && rest_[4] == 'T' ? 5 : 0;
  }

  static std::size_t signed_hours_length(std::string_view text) {
    if (text.empty() || (text[0] != '+' && text[0] != '-')) return 0;
    std::size_t end = 1;
    int hours = 0;
    for (; is_digit(text, end); ++end) hours = std::min(hours * 10 + (text[end] - '0'), 1000);
    return end == 1 || hours > 23 ? 0 : end;
  }

  Status finish() {
    using namespace std::chrono;
    if (half_ == 'p' && civil_.hour < 12) civil_.hour += 12;
    if (half_ == 'a' && civil_.hour == 12) civil_.hour = 0;
    const year year_of(static_cast<int>(civil_.year));
    if (year_day_ >= 0) {
      if (year_day_ < 1 || year_day_ > (year_of.is_leap() ? 366 : 365)) return error(": day-of-year out of range");
      const year_month_day date(sys_days(year_of / January / 1) + days(year_day_ - 1));
      const auto month_of = static_cast<std::int64_t>(static_cast<unsigned>(date.month()));
      const auto day_of = static_cast<std::int64_t>(static_cast<unsigned>(date.day()));
      if (month_ >= 0 && month_ != month_of) return error(": day-of-year does not match month");
      if (day_ >= 0 && day_ != day_of) return error(": day-of-year does not match day");
      month_ = month_of;
      day_ = day_of;
    }
    civil_.month = month_ < 0 ? 1 : month_;
    civil_.day = day_ < 0 ? 1 : day_;
    const year_month_day date(year_of, month(static_cast<unsigned>(civil_.month)),
                              day(static_cast<unsigned>(civil_.day)));
    if (!date.ok()) return error(": day out of range");
    return {};
  }

  std::string_view layout_, text_, rest_;
  CivilTime civil_{.year = 0};
  std::int64_t month_ = -1, day_ = -1, year_day_ = -1, nanos_ = 0;
  char half_ = 0;
  const char* out_of_range_ = nullptr;
  bool utc_ = false;
  std::optional<std::int32_t> offset_;
  std::string zone_name_;
};

}  // namespace

Result<GoTime> parse_time(std::string_view layout, std::string_view text, const GoZone& zone) {
  TimeReader reader(layout, text);
  TIPHYS_CHECK_OK(reader.read());
  return reader.time(zone);
}

}  // namespace tiphys::expr
