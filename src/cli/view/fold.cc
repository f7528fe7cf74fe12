#include "cli/view/fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace tiphys::cli {
namespace {

using api::NodePhase;

/// What is shown first has the smallest rank.
int rank(const api::NodeStatus& node) {
  if (api::failed_or_error(node.phase)) return 0;
  if (node.phase == NodePhase::kRunning) return 1;
  if (node.phase == NodePhase::kPending || node.phase == NodePhase::kUnset) return 2;
  return 3;
}

std::string summary(const std::vector<TreeNode*>& left_out, bool utf8) {
  constexpr std::array kOrder{NodePhase::kFailed, NodePhase::kError,     NodePhase::kRunning, NodePhase::kPending,
                              NodePhase::kUnset,  NodePhase::kSucceeded, NodePhase::kSkipped, NodePhase::kOmitted};
  constexpr std::array<std::string_view, 8> kWords{"failed",  "in error",  "running", "pending",
                                                   "waiting", "succeeded", "skipped", "omitted"};
  std::array<std::size_t, kOrder.size()> counts{};
  for (const TreeNode* entry : left_out) {
    const auto at = std::find(kOrder.begin(), kOrder.end(), entry->node->phase);
    ++counts[static_cast<std::size_t>(at - kOrder.begin())];
  }
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    if (counts[i] > 0) parts.push_back(fmt::format("{} {}", counts[i], kWords[i]));
  }
  const std::string_view dots = utf8 ? "…" : "...";
  if (parts.size() == 1) {
    const auto space = parts.front().find(' ');
    return fmt::format("{} {} more {}", dots, left_out.size(), parts.front().substr(space + 1));
  }
  return fmt::format("{} {} more: {}", dots, left_out.size(), join(parts, ", "));
}

}  // namespace

void fold_siblings(NodeTree& tree, TreeNode& root, std::size_t most, bool utf8) {
  for (TreeNode* child : root.children) {
    if (child->node) fold_siblings(tree, *child, most, utf8);
  }
  // A hidden group stands for its members: it is folded inside, not away.
  const auto foldable = [](const TreeNode* child) {
    return child->node && child->node->type != api::NodeType::kStepGroup;
  };
  const std::size_t count = std::count_if(root.children.begin(), root.children.end(), foldable);
  if (count <= most + 1) return;  // one line for one is no gain

  std::vector<TreeNode*> order;
  std::copy_if(root.children.begin(), root.children.end(), std::back_inserter(order), foldable);
  std::stable_sort(order.begin(), order.end(), [](const TreeNode* a, const TreeNode* b) {
    const int rank_a = rank(*a->node), rank_b = rank(*b->node);
    if (rank_a != rank_b) return rank_a < rank_b;
    return rank_a == 3 && a->node->finished_at > b->node->finished_at;
  });
  const std::vector<TreeNode*> left_out(order.begin() + static_cast<std::ptrdiff_t>(most), order.end());
  order.resize(most);
  std::vector<TreeNode*> kept;
  for (TreeNode* child : root.children) {
    if (!foldable(child) || std::find(order.begin(), order.end(), child) != order.end()) kept.push_back(child);
  }
  kept.push_back(tree.make_summary(summary(left_out, utf8)));
  root.children = std::move(kept);
}

std::vector<TreeLine> fit_tree(NodeTree& tree, TreeNode& root, std::size_t rows, bool utf8) {
  const auto all = [](const api::NodeStatus&) { return true; };
  std::vector<TreeLine> lines;
  // Folding an already folded tree would count its summaries away: each try begins with the whole.
  std::vector<std::pair<TreeNode*, std::vector<TreeNode*>>> whole;
  const std::function<void(TreeNode*)> remember = [&](TreeNode* entry) {
    whole.emplace_back(entry, entry->children);
    for (TreeNode* child : entry->children) remember(child);
  };
  remember(&root);
  for (const std::size_t most :
       {std::size_t{1} << 30, rows, rows / 2, rows / 4, rows / 8, std::size_t{3}, std::size_t{1}, std::size_t{0}}) {
    for (auto& [entry, children] : whole) entry->children = children;
    fold_siblings(tree, root, most, utf8);
    lines = draw_tree(root, utf8, all);
    if (lines.size() <= rows) return lines;
  }
  if (rows > 0 && lines.size() > rows) {
    const std::size_t hidden = lines.size() - (rows - 1);
    lines.resize(rows - 1);
    lines.push_back({" ", tree.make_summary(fmt::format("{} {} more lines", utf8 ? "…" : "...", hidden))});
  }
  return lines;
}

}  // namespace tiphys::cli
