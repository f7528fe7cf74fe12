#include "cli/view/compact_tree.h"

#include <fmt/format.h>

#include "cli/view/fold.h"
#include "cli/view/humanize.h"
#include "cli/view/run_view.h"
#include "cli/view/tab_writer.h"

namespace tiphys::cli {
namespace {

/// Rows of one sort that the final tree keeps.
constexpr std::size_t kMostSiblings = 30;

std::string row(const TreeLine& line, const Style& style, Time now) {
  const api::NodeStatus* node = line.entry->node;
  if (!node) return fmt::format("{}{}\n", line.prefix, line.entry->summary);
  std::string message = printable(node->message);
  if (node->memoization && node->memoization->hit) message = message.empty() ? "(memoized)" : message + " (memoized)";
  const bool took_time = node->started_at != Time{} && node->type != api::NodeType::kSkipped;
  return fmt::format("{}{} {}\t{}\t{}\t{}\n", line.prefix, style.node_icon(*node), printable(node->display_name),
                     node->template_name, took_time ? short_duration(node->started_at, node->finished_at, now) : "",
                     message);
}

}  // namespace

std::string compact_rows(const std::vector<TreeLine>& lines, const Style& style, Time now) {
  std::string text = style.paint("STEP", Color::kDefault) + "\tTEMPLATE\tDURATION\tMESSAGE\n";
  for (const auto& line : lines) text += row(line, style, now);
  return align_columns(text, 2);
}

std::string compact_tree(const RunState& run, const Style& style, Time now) {
  NodeTree tree(run.nodes, run.key.name);
  if (!tree.main()) return {};
  const auto all = [](const api::NodeStatus&) { return true; };
  std::vector<TreeLine> lines;
  for (TreeNode* root : {tree.main(), tree.on_exit()}) {
    if (!root) continue;
    fold_siblings(tree, *root, kMostSiblings, style.utf8);
    for (auto& line : draw_tree(*root, style.utf8, all)) lines.push_back(std::move(line));
  }
  return compact_rows(lines, style, now);
}

std::string progress_line(const RunState& run, const Style& style, Time now) {
  std::size_t total = 0, done = 0, running = 0, failed = 0;
  for (const auto& [id, node] : run.nodes) {
    const bool step = node.type == api::NodeType::kPod || node.type == api::NodeType::kSuspend;
    if (!step) continue;
    ++total;
    if (api::fulfilled(node.phase)) ++done;
    if (api::failed_or_error(node.phase)) ++failed;
    if (node.phase == api::NodePhase::kRunning) ++running;
  }
  if (!run.workflow) return {};
  const Time started = time_at(*run.workflow, "status", "startedAt");
  const Time finished = time_at(*run.workflow, "status", "finishedAt");
  const std::string status = workflow_status(*run.workflow, run.nodes);
  const Color color = status.starts_with("Succeeded")                     ? Color::kGreen
                      : status.starts_with("Failed") || status == "Error" ? Color::kRed
                                                                          : Color::kCyan;
  const std::string_view dot = style.utf8 ? " · " : ", ";
  std::string text = fmt::format("{}  {}  {}/{} done", run.key.name, style.paint(status, color), done, total);
  if (running > 0) text += fmt::format("{}{} running", dot, running);
  if (failed > 0) text += std::string(dot) + style.paint(fmt::format("{} failed", failed), Color::kRed);
  if (started != Time{})
    text += fmt::format("{}{}", dot, elapsed_time((finished == Time{} ? now : finished) - started));
  return text;
}

}  // namespace tiphys::cli
