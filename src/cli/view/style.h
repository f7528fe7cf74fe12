// How text is decorated: colours and the icons of phases, as argo prints them.
#pragma once

#include <string>
#include <string_view>

#include "api/node_status.h"
#include "argo/states.h"

namespace tiphys::cli {

/// Foreground codes of ANSI terminals (SGR).
enum class Color {
  kRed = 31,
  kGreen = 32,
  kYellow = 33,
  kBlue = 34,
  kMagenta = 35,
  kCyan = 36,
  kWhite = 37,
  kDefault = 39
};

struct Style {
  bool color = false;
  bool utf8 = true;

  std::string paint(std::string_view text, Color color) const;
  /// "✔", or "Succeeded" where only ASCII is wanted; "" for phases without an icon.
  std::string phase_icon(api::NodePhase phase) const;
  /// The icon of a node: of its phase, or the suspension sign while it waits for a user.
  std::string node_icon(const api::NodeStatus& node) const;
  std::string condition_icon(std::string_view condition_type) const;
};

/// The colour in which lines of a pod's log stand: the same for the same name.
Color pod_color(std::string_view pod_name);

using argo::is_active_suspend;

/// Text of steps and files as it may stand on a terminal: one line, control characters (escape sequences among them)
/// made visible or left out.
std::string printable(std::string_view text);

}  // namespace tiphys::cli
