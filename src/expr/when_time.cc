#include "expr/go_layout.h"
#include "expr/when_token.h"

namespace tiphys::expr {
namespace {

/// Those that govaluate tries, in its order.
constexpr std::string_view kLayouts[] = {
    "Mon Jan _2 15:04:05 2006",
    "Mon Jan _2 15:04:05 MST 2006",
    "Mon Jan 02 15:04:05 -0700 2006",
    "3:04PM",
    kRfc3339,
    kRfc3339Nano,
    "2006-01-02",
    "2006-01-02 15:04",
    "2006-01-02 15:04:05",
    "2006-01-02 15:04:05-07:00",
    "2006-01-02T15Z0700",
    "2006-01-02T15:04Z0700",
    "2006-01-02T15:04:05Z0700",
    "2006-01-02T15:04:05.999999999Z0700",
};

}  // namespace

std::optional<double> parse_when_time(std::string_view text) {
  // Most texts are seen to be none before any layout is tried.
  constexpr std::string_view kShortest = "3:04PM";
  if (text.size() < kShortest.size() || text.find_first_of(":-") == std::string_view::npos) return std::nullopt;
  for (const std::string_view layout : kLayouts) {
    if (const auto time = parse_time(layout, text, {})) return static_cast<double>(time->seconds);
  }
  return std::nullopt;
}

}  // namespace tiphys::expr
