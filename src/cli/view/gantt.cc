#include "cli/view/gantt.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/view/tab_writer.h"

namespace tiphys::cli {
namespace {

constexpr std::size_t kNarrowestBar = 10;
constexpr std::size_t kWidestName = 40;

std::string shown_name(const std::string& name) {
  std::string text = printable(name);
  // Cut in front: what tells a node of a loop from the next stands at its end.
  if (text_width(text) > kWidestName) text = "..." + text.substr(text.size() - (kWidestName - 3));
  return text;
}

std::string padded(const std::string& text, std::size_t width, bool right = false) {
  const std::size_t have = text_width(text);
  const std::string spaces(width > have ? width - have : 0, ' ');
  return right ? spaces + text : text + spaces;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

/// Where a time stands on a scale of `width` characters.
std::size_t place(Duration time, Duration total, std::size_t width) {
  if (total <= Duration(0)) return 0;
  return static_cast<std::size_t>(static_cast<double>(width) * static_cast<double>(time.count()) /
                                  static_cast<double>(total.count()));
}

std::string bar(const play::ScheduleRow& row, Duration total, std::size_t width, const Style& style) {
  const std::size_t asked = std::min(place(row.asked, total, width), width - 1);
  const std::size_t from = std::min(place(row.started, total, width), width - 1);
  const std::size_t to = std::max(place(row.finished, total, width), from + 1);
  const bool failed = api::failed_or_error(row.phase);
  const Color color = failed ? Color::kRed : row.critical ? Color::kYellow : Color::kCyan;
  const std::string_view full = style.utf8 ? (row.critical ? "█" : "▓") : (row.critical ? "#" : "=");
  return std::string(asked, ' ') + repeated(style.utf8 ? "·" : ".", from - asked) +
         style.paint(repeated(full, to - from), color);
}

std::string memory_text(double bytes) {
  for (const auto& [size, unit] :
       {std::pair(1073741824.0, "Gi"), std::pair(1048576.0, "Mi"), std::pair(1024.0, "Ki")}) {
    if (bytes >= size) return fmt::format("{:.4g}{}", bytes / size, unit);
  }
  return fmt::format("{:.0f}", bytes);
}

}  // namespace

std::string gantt_text(const play::Schedule& schedule, const Style& style, int columns) {
  const std::string total = format_go_duration(schedule.total);
  std::size_t names = 4, starts = 5, ends = 3;
  for (const play::ScheduleRow& row : schedule.rows) {
    names = std::max(names, text_width(shown_name(row.name)));
    starts = std::max(starts, format_go_duration(row.started).size());
    ends = std::max(ends, format_go_duration(row.finished).size());
  }
  const std::size_t before = 3 + names + 2 + starts + 2 + ends + 2;
  const auto whole = static_cast<std::size_t>(std::max(columns, 0));
  const std::size_t width = std::max({whole > before ? whole - before : 0, kNarrowestBar, total.size() + 3});
  std::string text = fmt::format("   {}  {}  {}  0{}\n", padded("STEP", names), padded("START", starts, true),
                                 padded("END", ends, true), padded(total, width - 1, true));
  for (const play::ScheduleRow& row : schedule.rows) {
    api::NodeStatus node;
    node.phase = row.phase;
    std::string icon = style.phase_icon(row.phase);
    if (!style.utf8) icon = api::failed_or_error(row.phase) ? "x" : " ";
    text += fmt::format(" {} {}  {}  {}  {}\n", padded(icon, 1), padded(shown_name(row.name), names),
                        padded(format_go_duration(row.started), starts, true),
                        padded(format_go_duration(row.finished), ends, true), bar(row, schedule.total, width, style));
  }
  return text;
}

std::string schedule_summary(const play::Schedule& schedule, const Style& style) {
  std::vector<std::string> path;
  for (const std::size_t i : schedule.critical) {
    const play::ScheduleRow& row = schedule.rows[i];
    path.push_back(fmt::format("{} {}", printable(row.name), format_go_duration(row.finished - row.started)));
  }
  std::string text;
  if (!path.empty()) text = fmt::format("Critical path  {}\n", join(path, style.utf8 ? " → " : " -> "));
  text += fmt::format("Total          {}\n", format_go_duration(schedule.total));
  text += fmt::format("At once        {} {}", schedule.most_pods, schedule.most_pods == 1 ? "pod" : "pods");
  if (schedule.most.cpus > 0) text += fmt::format(", {:.4g} cpus", schedule.most.cpus);
  if (schedule.most.memory_bytes > 0) text += fmt::format(", {} of memory", memory_text(schedule.most.memory_bytes));
  return text + (schedule.most.cpus > 0 || schedule.most.memory_bytes > 0 ? " requested\n" : "\n");
}

}  // namespace tiphys::cli
