#include "cli/view/node_tree.h"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace tiphys::cli {
namespace {

using api::NodeStatus;
using api::NodeType;

bool is_boundary(NodeType type) {
  return type == NodeType::kDag || type == NodeType::kSteps;
}
bool is_group(NodeType type) {
  return type == NodeType::kStepGroup || type == NodeType::kRetry;
}
bool is_execution(NodeType type) {
  return api::is_work(type) || type == NodeType::kSkipped;
}

/// The index of a loop's member, "name(3:value)"; -1 for others.
int loop_index(std::string_view display_name) {
  const auto open = display_name.find('(');
  const auto colon = display_name.find(':');
  if (open == std::string_view::npos || colon == std::string_view::npos || colon < open) return -1;
  int index = -1;
  const auto [end, error] = std::from_chars(display_name.data() + open + 1, display_name.data() + colon, index);
  return error == std::errc() && end == display_name.data() + colon ? index : -1;
}

/// How many nodes come before each along `children`. Start times have whole seconds and steps take milliseconds: within
/// a second this tells which came first.
class Depths {
 public:
  explicit Depths(const NodeMap& nodes) {
    std::unordered_map<const NodeStatus*, int> parents;
    for (const auto& [id, node] : nodes) {
      for_children(nodes, node, [&](const NodeStatus& child) { ++parents[&child]; });
    }
    std::vector<const NodeStatus*> ready;
    for (const auto& [id, node] : nodes) {
      if (!parents.contains(&node)) ready.push_back(&node);
    }
    while (!ready.empty()) {
      const NodeStatus& node = *ready.back();
      ready.pop_back();
      const int below = depth_[&node] + 1;
      for_children(nodes, node, [&](const NodeStatus& child) {
        int& depth = depth_[&child];
        depth = std::max(depth, below);
        if (--parents[&child] == 0) ready.push_back(&child);
      });
    }
  }

  int of(const NodeStatus& node) const {
    const auto it = depth_.find(&node);
    return it == depth_.end() ? 0 : it->second;
  }

 private:
  template <typename Visit>
  static void for_children(const NodeMap& nodes, const NodeStatus& node, Visit visit) {
    for (const auto& id : node.children) {
      if (const auto it = nodes.find(id); it != nodes.end()) visit(it->second);
    }
  }

  std::unordered_map<const NodeStatus*, int> depth_;
};

struct SortKey {
  std::chrono::sys_seconds started;
  int depth;
  int index;
  std::string_view name;
  TreeNode* entry;

  SortKey(TreeNode* tree_node, const Depths& depths)
      : started(std::chrono::floor<std::chrono::seconds>(tree_node->node->started_at)),
        depth(depths.of(*tree_node->node)),
        index(loop_index(tree_node->node->display_name)),
        name(tree_node->node->display_name),
        entry(tree_node) {
    // A loop's members stand together and by number.
    if (index >= 0) name = name.substr(0, name.find('('));
  }
  bool operator<(const SortKey& other) const {
    return std::tie(started, depth, name, index, entry->node->id) <
           std::tie(other.started, other.depth, other.name, other.index, other.entry->node->id);
  }
};

void sort_by_start(std::vector<TreeNode*>& siblings, const Depths& depths) {
  if (siblings.size() < 2) return;
  std::vector<SortKey> keys;
  keys.reserve(siblings.size());
  for (TreeNode* entry : siblings) keys.emplace_back(entry, depths);
  std::sort(keys.begin(), keys.end());
  std::transform(keys.begin(), keys.end(), siblings.begin(), [](const SortKey& key) { return key.entry; });
}

}  // namespace

NodeTree::NodeTree(const NodeMap& nodes, const std::string& workflow_name) {
  std::unordered_map<std::string_view, TreeNode*> entries;
  std::unordered_map<std::string_view, TreeNode*> group_of;
  for (const auto& [id, node] : nodes) {
    if (!is_boundary(node.type) && !is_group(node.type) && !is_execution(node.type)) continue;
    arena_.push_back({&node, {}, {}});
    entries.emplace(id, &arena_.back());
    if (!is_group(node.type)) continue;
    for (const auto& child : node.children) group_of.emplace(child, &arena_.back());
  }
  for (const auto& [id, entry] : entries) {
    if (id == workflow_name) continue;  // the root has no parent, so what is reached from it is a tree
    if (const auto group = group_of.find(id); group != group_of.end() && group->second != entry) {
      group->second->children.push_back(entry);
    } else if (const auto boundary = entries.find(entry->node->boundary_id); boundary != entries.end()) {
      boundary->second->children.push_back(entry);
    }
  }
  const Depths depths(nodes);
  for (auto& entry : arena_) sort_by_start(entry.children, depths);

  if (const auto it = entries.find(workflow_name); it != entries.end()) main_ = it->second;
  const std::string on_exit_name = workflow_name + ".onExit";
  for (auto& entry : arena_) {
    const bool root = entry.node->boundary_id.empty() && !group_of.contains(entry.node->id);
    if (root && entry.node->name == on_exit_name) on_exit_ = &entry;
  }
}

TreeNode* NodeTree::make_summary(std::string text) {
  arena_.push_back({nullptr, {}, std::move(text)});
  return &arena_.back();
}

bool is_hidden(const NodeStatus& node) {
  return (node.type == NodeType::kRetry && node.children.size() == 1) || node.type == NodeType::kStepGroup ||
         (node.type == NodeType::kSkipped && node.phase == api::NodePhase::kOmitted);
}

namespace {

struct Branch {
  std::string_view part;   ///< before the node itself
  std::string_view below;  ///< before what is under it
};

Branch choose_branch(bool utf8, bool parent_hidden, bool parent_is_step_group, std::size_t index, std::size_t last) {
  if (parent_hidden && parent_is_step_group) {
    if (last == 0) return utf8 ? Branch{"──", "  "} : Branch{"--", "  "};
    if (index == 0) return utf8 ? Branch{"┬─", "│ "} : Branch{"+-", "| "};
  } else if (parent_hidden) {
    return {};
  }
  if (index == last) return utf8 ? Branch{"└─", "  "} : Branch{"`-", "  "};
  return utf8 ? Branch{"├─", "│ "} : Branch{"|-", "| "};
}

class Drawing {
 public:
  static constexpr int kDeepest = 1000;  // templates nest 100 deep at most, each with a group and a retry

  Drawing(bool utf8, const std::function<bool(const NodeStatus&)>& wanted) : utf8_(utf8), wanted_(wanted) {}

  void add(const TreeNode& entry, const std::string& node_prefix, const std::string& child_prefix, int depth = 0) {
    if (depth > kDeepest) return;
    const bool hidden = entry.node && (is_hidden(*entry.node) || !wanted_(*entry.node));
    const bool step_group = entry.node && entry.node->type == NodeType::kStepGroup;
    if (!hidden) lines.push_back({node_prefix, &entry});
    for (std::size_t i = 0; i < entry.children.size(); ++i) {
      const Branch branch = choose_branch(utf8_, hidden, step_group, i, entry.children.size() - 1);
      const std::string& before = hidden && i == 0 ? node_prefix : child_prefix;
      add(*entry.children[i], before + std::string(branch.part), child_prefix + std::string(branch.below), depth + 1);
    }
  }

  std::vector<TreeLine> lines;

 private:
  bool utf8_;
  const std::function<bool(const NodeStatus&)>& wanted_;
};

}  // namespace

std::vector<TreeLine> draw_tree(const TreeNode& root, bool utf8, const std::function<bool(const NodeStatus&)>& wanted) {
  Drawing drawing(utf8, wanted);
  drawing.add(root, " ", " ");
  return std::move(drawing.lines);
}

}  // namespace tiphys::cli
