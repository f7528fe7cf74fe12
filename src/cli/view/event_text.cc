#include "cli/view/event_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/view/humanize.h"
#include "cli/view/style.h"
#include "cli/view/tab_writer.h"

namespace tiphys::cli {
namespace {

Time time_of(const doc::Value& event, std::string_view field) {
  return parse_rfc3339(doc::find_string(event, field)).value_or(Time{});
}

std::string age(const doc::Value& event, Time now) {
  std::string last = short_duration(time_of(event, "lastTimestamp"), now, now);
  const doc::Value* count = doc::find(event, "count");
  if (!count || !count->is_int64() || count->get_int64() <= 1) return last;
  return fmt::format("{} (x{} over {})", last, count->get_int64(),
                     short_duration(time_of(event, "firstTimestamp"), now, now));
}

}  // namespace

std::string event_text(std::vector<doc::Shared> events, Time now) {
  if (events.empty()) return "Events:  <none>\n";
  std::ranges::stable_sort(events, {}, [](const doc::Shared& event) { return time_of(*event, "firstTimestamp"); });
  std::string rows = "  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n";
  for (const doc::Shared& event : events) {
    rows += fmt::format("  {}\t{}\t{}\t{}\t{}\n", doc::find_string(*event, "type"), doc::find_string(*event, "reason"),
                        age(*event, now), doc::find_string(*event, "source", "component"),
                        printable(trim(doc::find_string(*event, "message"))));
  }
  return "Events:\n" + align_columns(rows, 2);
}

}  // namespace tiphys::cli
