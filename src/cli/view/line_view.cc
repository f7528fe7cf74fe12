#include <fmt/format.h>

#include <map>

#include "cli/terminal.h"
#include "cli/view/compact_tree.h"
#include "cli/view/humanize.h"
#include "cli/view/run_view.h"

namespace tiphys::cli {
namespace {

constexpr std::chrono::milliseconds kFlushDelay(66);
constexpr std::size_t kMostBuffered = 64 * 1024;

bool is_step(const api::NodeStatus& node) {
  using Type = api::NodeType;
  return node.type != Type::kStepGroup && node.type != Type::kTaskGroup && node.type != Type::kContainer &&
         node.phase != api::NodePhase::kOmitted;
}

class LineView final : public RunView {
 public:
  LineView(Loop& loop, const Style& style, NodeSelector selector)
      : loop_(loop), style_(style), selector_(std::move(selector)) {}
  ~LineView() override { loop_.executor().cancel(timer_); }

  void node_changed(const RunState&, const api::NodeStatus& node, api::NodePhase before) override {
    if (!is_news(node, before)) return;
    if (!is_step(node) || (!selector_.empty() && !selector_.matches(node))) return;
    std::string line = fmt::format("{}  {} {}  {}", clock_time(loop_.now()), style_.node_icon(node),
                                   printable(node.name), api::node_phase_name(node.phase));
    if (const std::string message = node_message(node); !message.empty()) line += "  " + message;
    add(line);
  }

  /// It has nodes once it has its locks.
  void workflow_changed(const RunState& run) override {
    if (run.phase() != "Pending") return;
    const std::string message = printable(doc::find_string(*run.workflow, "status", "message"));
    if (message.empty() || std::exchange(awaited_[run.key.name], message) == message) return;
    add(fmt::format("{}  {} {}  Pending  {}", clock_time(loop_.now()), style_.phase_icon(api::NodePhase::kPending),
                    run.key.name, message));
  }
  void note(const std::string& text) override { add(text); }

  void end() override {
    loop_.executor().cancel(timer_);
    timer_ = 0;
    flush();
  }

 private:
  /// Waiting is told of once for each lock.
  bool is_news(const api::NodeStatus& node, api::NodePhase before) {
    if (node.phase != api::NodePhase::kPending) return node.phase != before && node.phase != api::NodePhase::kUnset;
    return !node.awaited_lock.empty() && std::exchange(awaited_[node.name], node.awaited_lock) != node.awaited_lock;
  }

  void add(const std::string& line) {
    buffer_ += line;
    buffer_ += '\n';
    if (buffer_.size() > kMostBuffered) return flush();
    if (timer_ != 0) return;
    timer_ = loop_.executor().schedule(loop_.now() + kFlushDelay, [this] {
      timer_ = 0;
      flush();
    });
  }

  void flush() { print(std::exchange(buffer_, {})); }

  Loop& loop_;
  Style style_;
  NodeSelector selector_;
  std::string buffer_;
  std::map<std::string, std::string> awaited_;  ///< by node: a lock; by workflow whose locks they are: its message
  Executor::TimerId timer_ = 0;
};

class EndView final : public RunView {
 public:
  explicit EndView(bool quiet) : quiet_(quiet) {}

  void node_changed(const RunState&, const api::NodeStatus&, api::NodePhase) override {}

  void workflow_changed(const RunState& run) override {
    if (!run.finished || quiet_) return;
    if (run.deleted) return print(fmt::format("{} was deleted\n", run.key.name));
    print(fmt::format("{} {} at {}\n", run.key.name, run.phase(),
                      doc::find_string(*run.workflow, "status", "finishedAt")));
  }

  void note(const std::string& text) override { print_error(text + "\n"); }
  void end() override {}

 private:
  bool quiet_;
};

}  // namespace

std::unique_ptr<RunView> make_line_view(Loop& loop, const Style& style, NodeSelector selector) {
  return std::make_unique<LineView>(loop, style, std::move(selector));
}

std::unique_ptr<RunView> make_end_view(bool quiet) {
  return std::make_unique<EndView>(quiet);
}

}  // namespace tiphys::cli
