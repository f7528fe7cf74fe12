#include "cli/view/compact_tree.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/view/fold.h"
#include "cli/view/humanize.h"
#include "cli/view/run_view.h"
#include "cli/view/tab_writer.h"
#include "cli/view/workflow_text.h"

namespace tiphys::cli {
namespace {

/// Rows of one sort that the final tree keeps.
constexpr std::size_t kMostSiblings = 30;

std::string row(const TreeLine& line, const Style& style, Time now) {
  const api::NodeStatus* node = line.entry->node;
  if (!node) return fmt::format("{}{}\n", line.prefix, line.entry->summary);
  const std::string message = node_message(*node);
  const bool took_time = node->started_at != Time{} && node->type != api::NodeType::kSkipped;
  return fmt::format("{}{} {}\t{}\t{}\t{}\n", line.prefix, style.node_icon(*node), printable(node->display_name),
                     shown_template(*node), took_time ? short_duration(node->started_at, node->finished_at, now) : "",
                     message);
}

std::string without_trailing_spaces(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const auto line : split(text.substr(0, text.size() - text.ends_with('\n')), '\n')) {
    out.append(line.substr(0, line.find_last_not_of(' ') + 1)).push_back('\n');
  }
  return out;
}

/// "7.3s" when this command has seen the run from its beginning, "7s" when only the object's whole seconds are known.
std::string elapsed(const RunState& run, Time now) {
  if (run.created != Time{}) return elapsed_time((run.ended == Time{} ? now : run.ended) - run.created);
  const Time started = time_at(*run.workflow, "status", "startedAt");
  const Time finished = time_at(*run.workflow, "status", "finishedAt");
  return started == Time{} ? "" : elapsed_seconds((finished == Time{} ? now : finished) - started);
}

}  // namespace

std::string node_message(const api::NodeStatus& node) {
  std::string message = printable(node.message);
  if (node.memoization && node.memoization->hit) message += message.empty() ? "(memoized)" : " (memoized)";
  return message;
}

std::string compact_rows(const std::vector<TreeLine>& lines, const Style& style, Time now) {
  std::string text = style.paint("STEP", Color::kDefault) + "\tTEMPLATE\tDURATION\tMESSAGE\n";
  for (const auto& line : lines) text += row(line, style, now);
  return without_trailing_spaces(align_columns(text, 2));
}

std::string compact_tree(const RunState& run, const Style& style, Time now) {
  return compact_tree(run.key.name, run.nodes, style, now);
}

std::string compact_tree(const std::string& workflow, const NodeMap& nodes, const Style& style, Time now) {
  NodeTree tree(nodes, workflow);
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
    if (!api::is_work(node.type)) continue;
    ++total;
    if (api::fulfilled(node.phase)) ++done;
    if (api::failed_or_error(node.phase)) ++failed;
    if (node.phase == api::NodePhase::kRunning) ++running;
  }
  if (!run.workflow) return {};
  const std::string status = workflow_status(*run.workflow, spec_of(*run.whole), run.nodes);
  const Color color = status.starts_with("Succeeded")                     ? Color::kGreen
                      : status.starts_with("Failed") || status == "Error" ? Color::kRed
                                                                          : Color::kCyan;
  const std::string_view dot = style.utf8 ? " · " : ", ";
  std::string text = fmt::format("{}  {}  {}/{} done", run.key.name, style.paint(status, color), done, total);
  if (running > 0) text += fmt::format("{}{} running", dot, running);
  if (failed > 0) text += std::string(dot) + style.paint(fmt::format("{} failed", failed), Color::kRed);
  if (status == "Pending") {
    const std::string why = printable(doc::find_string(*run.workflow, "status", "message"));
    if (!why.empty()) text += std::string(dot) + why;
  }
  if (const std::string time = elapsed(run, now); !time.empty()) text += std::string(dot) + time;
  return text;
}

}  // namespace tiphys::cli
