// The nodes of a run as the tree that argo draws: steps and dag templates hold what runs in them, step groups and
// retries hold their members.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/node_status.h"

namespace tiphys::cli {

/// By id. Pointers to elements stay valid while others come.
using NodeMap = std::unordered_map<std::string, api::NodeStatus>;

struct TreeNode {
  const api::NodeStatus* node = nullptr;  ///< null: `summary` stands for siblings that are not shown
  std::vector<TreeNode*> children;        ///< in the order of their start
  std::string summary;
};

/// A tree over nodes that must outlive it.
class NodeTree {
 public:
  explicit NodeTree(const NodeMap& nodes, const std::string& workflow_name);

  TreeNode* main() const { return main_; }        ///< null before the entrypoint's node exists
  TreeNode* on_exit() const { return on_exit_; }  ///< null without an exit handler
  /// A line that stands for siblings, owned by the tree.
  TreeNode* make_summary(std::string text);

 private:
  std::deque<TreeNode> arena_;
  TreeNode* main_ = nullptr;
  TreeNode* on_exit_ = nullptr;
};

/// True for a node that has no line of its own: step groups, retries with one attempt, omitted tasks. The children of a
/// step group start their own branch in its place.
bool is_hidden(const api::NodeStatus& node);

/// One drawn node: the branch lines before it, and itself.
struct TreeLine {
  std::string prefix;  ///< "  ├─" and the like
  const TreeNode* entry;
};

/// The lines of a tree from top to bottom. Nodes that `wanted` refuses have no line; what is below them stays.
std::vector<TreeLine> draw_tree(const TreeNode& root, bool utf8,
                                const std::function<bool(const api::NodeStatus&)>& wanted);

}  // namespace tiphys::cli
