// How `run`, `watch` and `submit --watch` show runs that go on.
#pragma once

#include <memory>

#include "cli/loop.h"
#include "cli/view/run_state.h"
#include "cli/view/style.h"
#include "cli/view/workflow_text.h"

namespace tiphys::cli {

/// Shows what is followed.
class RunView {
 public:
  virtual ~RunView() = default;
  /// A node has changed; `before` is the phase in which it was seen last.
  virtual void node_changed(const RunState& run, const api::NodeStatus& node, api::NodePhase before) = 0;
  /// The object has changed.
  virtual void workflow_changed(const RunState& run) = 0;
  /// A line for the user in the midst of it.
  virtual void note(const std::string& text) = 0;
  /// All is shown that will be.
  virtual void end() = 0;
};

/// Trees that redraw in place within the terminal's height, a line of progress below.
class LiveView : public RunView {
 public:
  /// The terminal has another size.
  virtual void resized() = 0;
};

/// Redraws at most 15 times a second and with at most a fifth of the time.
std::unique_ptr<LiveView> make_live_view(Loop& loop, const Style& style, NodeSelector selector);
/// One line for each transition of a node, and when it waits for a lock: time, name, phase, message.
std::unique_ptr<RunView> make_line_view(Loop& loop, const Style& style, NodeSelector selector);
/// `NAME PHASE at TIME` when a workflow ends.
std::unique_ptr<RunView> make_end_view(bool quiet);

/// The tree of a run for its end: step, template, duration, message; long rows of siblings folded.
std::string compact_tree(const RunState& run, const Style& style, Time now);
/// "train-x7  Running  3/5 done · 2 running · 0:12"; "train-x7  Pending  0/0 done · Waiting for ...".
std::string progress_line(const RunState& run, const Style& style, Time now);

}  // namespace tiphys::cli
