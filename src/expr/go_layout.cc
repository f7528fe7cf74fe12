#include "expr/go_layout.h"

#include <fmt/format.h>

#include <iterator>
#include <optional>

namespace tiphys::expr {
namespace {

using Part = LayoutPart;

struct Spelling {
  std::string_view text;
  Part part;
  bool not_before_lower = false;  ///< "Month" is no month
  LayoutZone zone{};
};

/// The first that fits counts.
constexpr Spelling kSpellings[] = {
    {"January", Part::kLongMonth},
    {"Jan", Part::kMonth, true},
    {"Monday", Part::kLongWeekday},
    {"Mon", Part::kWeekday, true},
    {"MST", Part::kZoneName},
    {"01", Part::kZeroMonth},
    {"02", Part::kZeroDay},
    {"03", Part::kZeroHour12},
    {"04", Part::kZeroMinute},
    {"05", Part::kZeroSecond},
    {"06", Part::kYear},
    {"002", Part::kZeroYearDay},
    {"15", Part::kHour},
    {"1", Part::kNumMonth},
    {"2006", Part::kLongYear},
    {"2", Part::kDay},
    {"_2", Part::kUnderDay},
    {"__2", Part::kUnderYearDay},
    {"3", Part::kHour12},
    {"4", Part::kMinute},
    {"5", Part::kSecond},
    {"PM", Part::kUpperPm},
    {"pm", Part::kLowerPm},
    {"-070000", Part::kZone, false, {.seconds = true}},
    {"-07:00:00", Part::kZone, false, {.colon = true, .seconds = true}},
    {"-0700", Part::kZone, false, {}},
    {"-07:00", Part::kZone, false, {.colon = true}},
    {"-07", Part::kZone, false, {.minutes = false}},
    {"Z070000", Part::kZone, false, {.z_for_utc = true, .seconds = true}},
    {"Z07:00:00", Part::kZone, false, {.z_for_utc = true, .colon = true, .seconds = true}},
    {"Z0700", Part::kZone, false, {.z_for_utc = true}},
    {"Z07:00", Part::kZone, false, {.z_for_utc = true, .colon = true}},
    {"Z07", Part::kZone, false, {.z_for_utc = true, .minutes = false}},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// ".000" or ",999": digits of one kind with none other after them.
std::optional<LayoutStep> fraction_at(std::string_view layout, std::size_t at) {
  const std::string_view text = layout.substr(at);
  if (text.size() < 2 || (text[0] != '.' && text[0] != ',') || (text[1] != '0' && text[1] != '9')) return std::nullopt;
  const std::size_t end = std::min(text.find_first_not_of(text[1], 1), text.size());
  if (end < text.size() && is_digit(text[end])) return std::nullopt;
  LayoutStep step;
  step.prefix = layout.substr(0, at);
  step.part = text[1] == '0' ? Part::kFraction : Part::kShortFraction;
  step.text = text.substr(0, end);
  step.rest = text.substr(end);
  step.digits = static_cast<int>(end) - 1;
  step.separator = text[0];
  return step;
}

void append_number(std::string& out, std::int64_t number, int width) {
  if (number < 0) out += '-';
  fmt::format_to(std::back_inserter(out), "{:0{}}", number < 0 ? -number : number, width);
}

void append_zone(std::string& out, std::int32_t offset, const LayoutZone& form) {
  if (form.z_for_utc && offset == 0) {
    out += 'Z';
    return;
  }
  // Go takes the sign from the whole minutes.
  const std::int32_t minutes = offset / 60;
  out += minutes < 0 ? '-' : '+';
  const std::int32_t positive = minutes < 0 ? -minutes : minutes;
  append_number(out, positive / 60, 2);
  if (form.colon) out += ':';
  if (form.minutes) append_number(out, positive % 60, 2);
  if (!form.seconds) return;
  if (form.colon) out += ':';
  append_number(out, (minutes < 0 ? -offset : offset) % 60, 2);
}

void append_fraction(std::string& out, std::int32_t nanos, const LayoutStep& step) {
  std::string digits = fmt::format("{:09}", nanos).substr(0, static_cast<std::size_t>(std::min(step.digits, 9)));
  digits.append(static_cast<std::size_t>(std::max(0, step.digits - 9)), '0');
  if (step.part == Part::kShortFraction) {
    while (digits.ends_with('0')) digits.pop_back();
    if (digits.empty()) return;
  }
  out += step.separator;
  out += digits;
}

std::int64_t of_twelve(std::int64_t hour) {
  return hour % 12 == 0 ? 12 : hour % 12;
}

void append_part(std::string& out, const GoTime& time, const CivilTime& civil, const LayoutStep& step) {
  switch (step.part) {
    case Part::kNone:
      return;
    case Part::kLongMonth:
      out += month_name(civil.month);
      return;
    case Part::kMonth:
      out += month_name(civil.month).substr(0, 3);
      return;
    case Part::kNumMonth:
      return append_number(out, civil.month, 1);
    case Part::kZeroMonth:
      return append_number(out, civil.month, 2);
    case Part::kLongWeekday:
      out += weekday_name(civil.weekday);
      return;
    case Part::kWeekday:
      out += weekday_name(civil.weekday).substr(0, 3);
      return;
    case Part::kDay:
      return append_number(out, civil.day, 1);
    case Part::kUnderDay:
      fmt::format_to(std::back_inserter(out), "{:>2}", civil.day);
      return;
    case Part::kZeroDay:
      return append_number(out, civil.day, 2);
    case Part::kUnderYearDay:
      fmt::format_to(std::back_inserter(out), "{:>3}", civil.year_day);
      return;
    case Part::kZeroYearDay:
      return append_number(out, civil.year_day, 3);
    case Part::kHour:
      return append_number(out, civil.hour, 2);
    case Part::kHour12:
      return append_number(out, of_twelve(civil.hour), 1);
    case Part::kZeroHour12:
      return append_number(out, of_twelve(civil.hour), 2);
    case Part::kMinute:
      return append_number(out, civil.minute, 1);
    case Part::kZeroMinute:
      return append_number(out, civil.minute, 2);
    case Part::kSecond:
      return append_number(out, civil.second, 1);
    case Part::kZeroSecond:
      return append_number(out, civil.second, 2);
    case Part::kLongYear:
      return append_number(out, civil.year, 4);
    case Part::kYear:
      return append_number(out, (civil.year < 0 ? -civil.year : civil.year) % 100, 2);
    case Part::kUpperPm:
      out += civil.hour >= 12 ? "PM" : "AM";
      return;
    case Part::kLowerPm:
      out += civil.hour >= 12 ? "pm" : "am";
      return;
    case Part::kZoneName:
      if (civil.abbreviation.empty()) return append_zone(out, civil.offset, {});
      out += civil.abbreviation;
      return;
    case Part::kZone:
      return append_zone(out, civil.offset, step.zone);
    case Part::kFraction:
    case Part::kShortFraction:
      return append_fraction(out, time.nanos, step);
  }
}

}  // namespace

LayoutStep next_layout_part(std::string_view layout) {
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const std::string_view text = layout.substr(i);
    // "_2006" is an underscore and a year.
    if (text.starts_with("_2006")) continue;
    if (const auto fraction = fraction_at(layout, i)) return *fraction;
    for (const Spelling& spelling : kSpellings) {
      if (!text.starts_with(spelling.text)) continue;
      const std::string_view rest = text.substr(spelling.text.size());
      if (spelling.not_before_lower && !rest.empty() && rest[0] >= 'a' && rest[0] <= 'z') continue;
      return {.prefix = layout.substr(0, i),
              .part = spelling.part,
              .text = text.substr(0, spelling.text.size()),
              .rest = rest,
              .zone = spelling.zone};
    }
  }
  return {.prefix = layout};
}

std::string format_time(const GoTime& time, std::string_view layout) {
  const CivilTime civil = civil_time(time);
  std::string out;
  for (;;) {
    const LayoutStep step = next_layout_part(layout);
    out += step.prefix;
    if (step.part == Part::kNone) return out;
    append_part(out, time, civil, step);
    layout = step.rest;
  }
}

}  // namespace tiphys::expr
