#include "engine/node_graph.h"

#include <algorithm>
#include <utility>

#include "engine/names.h"

namespace tiphys::engine {

NodeGraph::NodeGraph(std::string_view workflow_name, std::vector<api::NodeStatus> nodes)
    : workflow_name_(workflow_name), nodes_(std::move(nodes)), links_(nodes_.size()) {
  // By id, so that the last one wins where a node has several parents.
  std::ranges::sort(nodes_, {}, &api::NodeStatus::id);
  for (std::size_t at = 0; at < nodes_.size(); ++at) {
    by_id_.emplace(nodes_[at].id, at);
    if (nodes_[at].name == workflow_name) root_ = at;
  }
  for (std::size_t at = 0; at < nodes_.size(); ++at) {
    links_[at].boundary = find(nodes_[at].boundary_id);
    for (const std::string& id : nodes_[at].children) {
      const std::size_t child = find(id);
      if (child == kNone) continue;
      links_[at].children.push_back(child);
      links_[child].parent = at;
      if (nodes_[at].type != api::NodeType::kRetry || !attempt_index(nodes_[child].name, nodes_[at].name)) continue;
      links_[child].retry = at;
      links_[at].last_attempt = child;
    }
  }
  for (std::size_t at = 0; at < nodes_.size(); ++at) {
    const std::size_t around = links_[at].boundary;
    if (links_[at].parent != kNone || around == kNone) continue;
    links_[at].parent = around;
    links_[around].children.push_back(at);
  }
}

std::size_t NodeGraph::find(const std::string& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? kNone : found->second;
}

std::vector<std::size_t> NodeGraph::from_root() const {
  std::vector<std::size_t> order;
  if (root_ == kNone) return order;
  std::vector<bool> seen(nodes_.size());
  seen[root_] = true;
  order.push_back(root_);
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (const std::size_t child : links_[order[i]].children) {
      if (seen[child]) continue;
      seen[child] = true;
      order.push_back(child);
    }
  }
  return order;
}

bool NodeGraph::of_exit_handler(std::size_t at) const {
  while (links_[at].boundary != kNone) at = links_[at].boundary;
  const std::string handler = on_exit_name(workflow_name_);
  return nodes_[at].name == handler || attempt_index(nodes_[at].name, handler);
}

std::vector<bool> NodeGraph::succeeded_after(const std::set<std::string>& but) const {
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(nodes_.size());
  std::vector<bool> found(nodes_.size());
  std::vector<std::size_t> path;
  // Children first.
  const auto visit = [&](std::size_t from) {
    path.push_back(from);
    while (!path.empty()) {
      const std::size_t at = path.back();
      if (marks[at] == Mark::kNew) {
        marks[at] = Mark::kOpen;
        for (const std::size_t child : links_[at].children) {
          if (marks[child] == Mark::kNew) path.push_back(child);
        }
        continue;
      }
      path.pop_back();
      if (std::exchange(marks[at], Mark::kDone) == Mark::kDone) continue;
      found[at] = std::ranges::any_of(links_[at].children, [&](std::size_t child) {
        const api::NodeStatus& node = nodes_[child];
        if (node.hooked) return false;
        return found[child] || (node.phase == api::NodePhase::kSucceeded && !but.contains(node.id));
      });
    }
  };
  for (std::size_t at = 0; at < nodes_.size(); ++at) visit(at);
  return found;
}

}  // namespace tiphys::engine
