// The nodes of a run that has ended, as a graph.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/node_status.h"

namespace tiphys::engine {

class NodeGraph {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  NodeGraph(std::string_view workflow_name, std::vector<api::NodeStatus> nodes);

  std::size_t size() const { return nodes_.size(); }
  api::NodeStatus& node(std::size_t at) { return nodes_[at]; }
  const api::NodeStatus& node(std::size_t at) const { return nodes_[at]; }
  std::size_t find(const std::string& id) const;

  /// Those that are, and those that name no parent and are taken for children of their boundary.
  const std::vector<std::size_t>& children(std::size_t at) const { return links_[at].children; }
  /// Of several the last by id.
  std::size_t parent(std::size_t at) const { return links_[at].parent; }
  std::size_t boundary(std::size_t at) const { return links_[at].boundary; }
  /// The retry node that the node is an attempt of.
  std::size_t retry_of(std::size_t at) const { return links_[at].retry; }
  std::size_t last_attempt(std::size_t retry) const { return links_[retry].last_attempt; }
  /// Breadth first. Exit handlers of the workflow are not among them.
  std::vector<std::size_t> from_root() const;
  /// It is the workflow's exit handler, or within it.
  bool of_exit_handler(std::size_t at) const;
  /// By node: whether anything that came after it has succeeded, hooks and the nodes with these ids apart.
  std::vector<bool> succeeded_after(const std::set<std::string>& but) const;

 private:
  struct Links {
    std::vector<std::size_t> children{};
    std::size_t parent = kNone, boundary = kNone, retry = kNone, last_attempt = kNone;
  };
  std::string_view workflow_name_;
  std::vector<api::NodeStatus> nodes_;
  std::vector<Links> links_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::size_t root_ = kNone;
};

}  // namespace tiphys::engine
