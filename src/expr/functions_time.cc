// expr-lang's functions of times.
#include "base/time.h"
#include "expr/arguments.h"
#include "expr/go_layout.h"
#include "expr/go_value.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

/// In the order in which a text is tried.
constexpr std::string_view kLayouts[] = {
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    kRfc3339,
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
};

Value now(Arguments arguments, const Ambient& ambient) {
  GoTime time = from_time(ambient.now);
  if (!arguments.empty()) {
    const auto zone = go_zone(*arguments[0]);
    if (!zone) return bad_argument("invalid number of arguments (expected 0, got 1)");
    time.zone = *zone;
  }
  return make_go_value(time);
}

Value duration(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const Duration parsed, parse_go_duration(text));
  return make_go_value(parsed);
}

Value timezone(Arguments arguments) {
  TIPHYS_TRY(const auto name, text_argument(arguments, 0));
  TIPHYS_TRY(const GoZone zone, load_zone(std::string(name)));
  return make_go_value(zone);
}

/// date([zone,] text [, layout [, zone's name]]).
Value date(Arguments arguments) {
  GoZone zone;
  if (const auto given = go_zone(*arguments[0])) {
    zone = *given;
    arguments = arguments.subspan(1);
  }
  if (arguments.empty() || arguments.size() > 3) {
    return bad_argument("invalid number of arguments (expected at most 3, got " + std::to_string(arguments.size()) +
                        ")");
  }
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  if (arguments.size() > 1) {
    TIPHYS_TRY(const auto layout, text_argument(arguments, 1));
    if (arguments.size() > 2) {
      TIPHYS_TRY(const auto name, text_argument(arguments, 2));
      TIPHYS_TRY(zone, load_zone(std::string(name)));
    }
    TIPHYS_TRY(const GoTime time, parse_time(layout, text, zone));
    return make_go_value(time);
  }
  for (const std::string_view layout : kLayouts) {
    if (const auto time = parse_time(layout, text, zone)) return make_go_value(*time);
  }
  return bad_argument("invalid date " + std::string(text));
}

constexpr Function kFunctions[] = {
    {"now", 0, 1, nullptr, StaticKind::kTime, 0, now},
    {"duration", 1, 1, duration, StaticKind::kDuration},
    {"date", 1, 4, date, StaticKind::kTime},
    {"timezone", 1, 1, timezone, StaticKind::kLocation},
};

}  // namespace

std::span<const Function> time_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr
