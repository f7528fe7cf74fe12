#include "cli/view/style.h"

#include <fmt/format.h>

#include <array>

namespace tiphys::cli {
namespace {

struct PhaseIcon {
  api::NodePhase phase;
  std::string_view icon;
  std::string_view word;
  Color color;
};

constexpr std::array kPhaseIcons{
    PhaseIcon{api::NodePhase::kPending, "◷", "Pending", Color::kYellow},
    PhaseIcon{api::NodePhase::kRunning, "●", "Running", Color::kCyan},
    PhaseIcon{api::NodePhase::kSucceeded, "✔", "Succeeded", Color::kGreen},
    PhaseIcon{api::NodePhase::kSkipped, "○", "Skipped", Color::kDefault},
    PhaseIcon{api::NodePhase::kFailed, "✖", "Failed", Color::kRed},
    PhaseIcon{api::NodePhase::kError, "⚠", "Error", Color::kRed},
};

}  // namespace

std::string Style::paint(std::string_view text, Color code) const {
  return color ? fmt::format("\x1b[{}m{}\x1b[0m", static_cast<int>(code), text) : std::string(text);
}

std::string Style::phase_icon(api::NodePhase phase) const {
  for (const auto& entry : kPhaseIcons) {
    if (entry.phase == phase) return paint(utf8 ? entry.icon : entry.word, entry.color);
  }
  return {};
}

std::string Style::node_icon(const api::NodeStatus& node) const {
  if (is_active_suspend(node)) return paint(utf8 ? "ǁ" : "Suspend", Color::kCyan);
  return phase_icon(node.phase);
}

std::string Style::condition_icon(std::string_view condition_type) const {
  if (condition_type == "MetricsError") return paint(utf8 ? "✖" : "Error", Color::kRed);
  if (condition_type == "SpecWarning") return paint(utf8 ? "⚠" : "Warning", Color::kYellow);
  return {};
}

Color pod_color(std::string_view pod_name) {
  constexpr std::array kColors{Color::kGreen,   Color::kYellow, Color::kBlue,
                               Color::kMagenta, Color::kCyan,   Color::kWhite};
  std::size_t sum = 0;
  for (const char c : pod_name) sum += static_cast<unsigned char>(c);
  return kColors[sum % kColors.size()];
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t') {
      out += ' ';
    } else if (c == '\x1b') {
      out += "^[";
    } else if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    }
  }
  return out;
}

}  // namespace tiphys::cli
