#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/terminal.h"
#include "cli/view/compact_tree.h"
#include "cli/view/fold.h"
#include "cli/view/run_view.h"
#include "cli/view/tab_writer.h"

namespace tiphys::cli {
namespace {

constexpr std::chrono::milliseconds kFrame(66);
/// Running durations move on even when nothing else does.
constexpr std::chrono::milliseconds kTick(500);

class TerminalView final : public LiveView {
 public:
  TerminalView(Loop& loop, const Style& style, NodeSelector selector)
      : loop_(loop), style_(style), selector_(std::move(selector)) {}
  ~TerminalView() override { loop_.executor().cancel(timer_); }

  void node_changed(const RunState& run, const api::NodeStatus&, api::NodePhase) override { changed(run); }
  void workflow_changed(const RunState& run) override { changed(run); }

  void note(const std::string& text) override {
    notes_ += text + "\n";
    schedule(kFrame);
  }

  void resized() override {
    const TerminalSize size = terminal_size();
    // What the terminal has wrapped anew cannot be found again: begin below it. The rest is where it was, or above.
    drawn_ = widest_ <= size.columns ? std::min<std::size_t>(drawn_, size.rows - 1) : 0;
    schedule(Duration::zero());
  }

  /// Leaves the place clean for what is printed last.
  void end() override {
    loop_.executor().cancel(timer_);
    timer_ = 0;
    ended_ = true;
    print(erase() + std::exchange(notes_, {}));
    drawn_ = 0;
  }

 private:
  void changed(const RunState& run) {
    if (std::find(runs_.begin(), runs_.end(), &run) == runs_.end()) runs_.push_back(&run);
    schedule(kFrame);
  }

  void schedule(Duration delay) {
    if (ended_) return;
    const Time due = std::max(loop_.now() + delay, next_frame_);
    if (timer_ != 0 && due_ <= due) return;
    loop_.executor().cancel(timer_);
    due_ = due;
    timer_ = loop_.executor().schedule(due, [this] {
      timer_ = 0;
      draw();
    });
  }

  std::string erase() const { return drawn_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", drawn_) : ""; }

  void draw() {
    const Time begun = loop_.now();
    const TerminalSize size = terminal_size();
    std::vector<std::string> lines;
    // The line under the last one must stay on the screen, or the whole would scroll.
    const int room = std::max(size.rows - 1, 2);
    const int each = std::max(room / std::max<int>(1, static_cast<int>(runs_.size())), 2);
    for (const RunState* run : runs_) {
      if (static_cast<int>(lines.size()) + 2 > room) break;
      add_run(*run, static_cast<std::size_t>(each), lines);
    }
    // One write: cursor hidden, no wrapping, over the old lines, the rest erased.
    std::string frame = "\x1b[?25l\x1b[?7l";
    if (!notes_.empty()) {
      frame += erase() + std::exchange(notes_, {});
      drawn_ = 0;
    }
    if (drawn_ > 0) frame += fmt::format("\x1b[{}A\r", drawn_);
    for (const auto& line : lines) frame += line + "\x1b[K\n";
    frame += "\x1b[J\x1b[?7h\x1b[?25h";
    print(frame);
    drawn_ = lines.size();
    widest_ = 0;
    for (const auto& line : lines) widest_ = std::max(widest_, std::min<int>(text_width(line), size.columns));
    const Time now = loop_.now();
    next_frame_ = now + std::max<Duration>(kFrame, 4 * (now - begun));
    schedule(kTick);
  }

  void add_run(const RunState& run, std::size_t rows, std::vector<std::string>& lines) const {
    NodeTree tree(run.nodes, run.key.name);
    std::vector<TreeLine> shown;
    // One row is the table's heading, one the progress.
    const std::size_t room = rows > 2 ? rows - 2 : 0;
    for (TreeNode* root : {tree.main(), tree.on_exit()}) {
      if (!root || room <= shown.size()) continue;
      for (auto& line : fit_tree(tree, *root, room - shown.size(), style_.utf8)) {
        if (line.entry->node && !selector_.empty() && !selector_.matches(*line.entry->node)) continue;
        shown.push_back(std::move(line));
      }
    }
    if (!shown.empty()) {
      const std::string table = compact_rows(shown, style_, loop_.executor().now());
      for (const auto line : split(std::string_view(table).substr(0, table.size() - 1), '\n')) lines.emplace_back(line);
    }
    lines.push_back(progress_line(run, style_, loop_.executor().now()));
  }

  Loop& loop_;
  Style style_;
  NodeSelector selector_;
  std::vector<const RunState*> runs_;
  std::string notes_;
  std::size_t drawn_ = 0;  ///< lines on the screen
  int widest_ = 0;         ///< columns of the widest of them
  Executor::TimerId timer_ = 0;
  Time due_{};
  Time next_frame_{};
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<LiveView> make_live_view(Loop& loop, const Style& style, NodeSelector selector) {
  return std::make_unique<TerminalView>(loop, style, std::move(selector));
}

}  // namespace tiphys::cli
