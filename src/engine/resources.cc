// What the nodes of a finished run have cost. Original: util/resource/updater.go.
#include <utility>
#include <vector>

#include "engine/machine.h"

namespace tiphys::engine {
namespace {

/// Sums up the pods that are reached from a node by children. Where every node has one parent the sums of the children
/// are added; a node that is reached on several ways counts once, so what leads to it looks at all.
class ResourceSums {
 public:
  explicit ResourceSums(const NodeTable& nodes) : nodes_(nodes), parents_(nodes.size()), known_(nodes.size()) {
    for (NodeIndex index = 0; index < nodes_.size(); ++index) {
      for (const NodeIndex child : nodes_[index].children) ++parents_[child];
    }
  }

  /// Of what is below the node.
  const api::ResourcesDuration& below(NodeIndex index) {
    if (!known_[index].done) settle(index);
    return known_[index].sum;
  }

 private:
  struct Known {
    bool done = false, tree = false;
    api::ResourcesDuration sum;
  };

  static const api::ResourcesDuration& own(const Node& node) {
    static const api::ResourcesDuration kNone;
    const bool pod = node.type == api::NodeType::kPod && node.extra;
    return pod ? node.extra->resources_duration : kNone;
  }

  /// Children before their parents, without recursion: chains can be long.
  void settle(NodeIndex from) {
    std::vector<std::pair<NodeIndex, std::size_t>> path{{from, 0}};
    while (!path.empty()) {
      auto& [index, next] = path.back();
      const std::vector<NodeIndex>& children = nodes_[index].children;
      while (next < children.size() && known_[children[next]].done) ++next;
      if (next < children.size()) {
        path.emplace_back(children[next], 0);
        continue;
      }
      conclude(index);
      path.pop_back();
    }
  }

  void conclude(NodeIndex index) {
    Known& known = known_[index];
    known.done = known.tree = true;
    for (const NodeIndex child : nodes_[index].children) {
      known.tree = known.tree && parents_[child] == 1 && known_[child].tree;
    }
    // Pods are not asked for theirs.
    if (!known.tree) {
      if (nodes_[index].type != api::NodeType::kPod) known.sum = visit_all(index);
      return;
    }
    for (const NodeIndex child : nodes_[index].children) {
      api::add(known.sum, own(nodes_[child]));
      api::add(known.sum, known_[child].sum);
    }
  }

  api::ResourcesDuration visit_all(NodeIndex from) const {
    api::ResourcesDuration sum;
    std::vector<bool> seen(nodes_.size());
    std::vector<NodeIndex> left{from};
    while (!left.empty()) {
      const NodeIndex index = left.back();
      left.pop_back();
      for (const NodeIndex child : nodes_[index].children) {
        if (seen[child]) continue;
        seen[child] = true;
        api::add(sum, own(nodes_[child]));
        left.push_back(child);
      }
    }
    return sum;
  }

  const NodeTable& nodes_;
  std::vector<std::uint32_t> parents_;
  std::vector<Known> known_;
};

}  // namespace

/// Nodes that are no pods get the sum of the pods below them, once, when the run ends.
void Machine::sum_resources() {
  if (status_.resources_duration.empty()) return;
  ResourceSums sums(nodes_);
  for (NodeIndex index = 0; index < nodes_.size(); ++index) {
    Node& node = nodes_[index];
    if (node.type == api::NodeType::kPod || !node.fulfilled() || node.children.empty()) continue;
    if (const api::ResourcesDuration& sum = sums.below(index); !sum.empty()) {
      node.extras().resources_duration = sum;
      nodes_.touch(index);
    }
  }
}

}  // namespace tiphys::engine
