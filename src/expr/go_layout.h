// Times as text by Go's layouts: "2006-01-02T15:04:05Z07:00". Source: the package time, format.go.
#pragma once

#include <string>
#include <string_view>

#include "expr/go_time.h"

namespace tiphys::expr {

inline constexpr std::string_view kRfc3339 = "2006-01-02T15:04:05Z07:00";
inline constexpr std::string_view kRfc3339Nano = "2006-01-02T15:04:05.999999999Z07:00";
/// Of Time.String().
inline constexpr std::string_view kTimeString = "2006-01-02 15:04:05.999999999 -0700 MST";

/// Time.Format.
std::string format_time(const GoTime& time, std::string_view layout);
/// time.ParseInLocation: `zone` is that of texts that name none. Errors are Go's.
Result<GoTime> parse_time(std::string_view layout, std::string_view text, const GoZone& zone);

/// A part of a layout that stands for a part of a time.
enum class LayoutPart : unsigned char {
  kNone,  ///< the end
  kLongMonth,
  kMonth,
  kNumMonth,
  kZeroMonth,
  kLongWeekday,
  kWeekday,
  kDay,
  kUnderDay,
  kZeroDay,
  kUnderYearDay,
  kZeroYearDay,
  kHour,
  kHour12,
  kZeroHour12,
  kMinute,
  kZeroMinute,
  kSecond,
  kZeroSecond,
  kLongYear,
  kYear,
  kUpperPm,
  kLowerPm,
  kZoneName,
  kZone,           ///< an offset; see `zone`
  kFraction,       ///< of the second, all digits
  kShortFraction,  ///< without zeros at the end
};

/// How an offset is written.
struct LayoutZone {
  bool z_for_utc = false, colon = false, minutes = true, seconds = false;
};

/// What comes next in a layout: literal text, the part, and the layout after it.
struct LayoutStep {
  std::string_view prefix;
  LayoutPart part = LayoutPart::kNone;
  std::string_view text{};  ///< of the part
  std::string_view rest{};
  LayoutZone zone{};
  int digits = 0;      ///< of a fraction
  char separator = 0;  ///< before a fraction
};
LayoutStep next_layout_part(std::string_view layout);

}  // namespace tiphys::expr
