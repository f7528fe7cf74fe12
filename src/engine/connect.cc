// The edges that the graph of a run is drawn from: children go from the outbound nodes of what came before.
#include "engine/machine.h"

namespace tiphys::engine {

void Machine::add_child(NodeIndex parent, NodeIndex child) {
  auto& children = nodes_[parent].children;
  if (!children.empty() && children.back() == child) return;
  children.push_back(child);
  nodes_.touch(parent);
}

void Machine::attach(NodeIndex index) {
  const Node& node = nodes_[index];
  if (node.owner == Owner::kEntry || node.owner == Owner::kExit) return;
  if (node.owner == Owner::kAttempt || node.owner == Owner::kHook) return add_child(node.owner_node, index);
  if (node.owner_node != kNoNode) return add_child(node.owner_node, index);
  const Frame* frame = frame_of(node.boundary);
  if (!frame) return;

  std::vector<NodeIndex> before;
  if (frame->plan->dag()) {
    const auto dependencies = frame->plan->dependencies(node.task);
    if (dependencies.empty()) return add_child(node.boundary, index);
    for (const std::uint32_t dependency : dependencies) {
      if (frame->tasks[dependency].node != kNoNode) outbound_nodes(frame->tasks[dependency].node, before);
    }
  } else if (node.turn == 0) {
    return add_child(node.boundary, index);
  } else {
    // The step group before this one; an empty one is itself what comes before.
    const NodeIndex group = frame->last_group_node;
    for (const NodeIndex child : nodes_[group].children) outbound_nodes(child, before);
    if (nodes_[group].children.empty()) before.push_back(group);
  }
  for (const NodeIndex parent : before) add_child(parent, index);
}

void Machine::outbound_nodes(NodeIndex index, std::vector<NodeIndex>& into) const {
  const Node& node = nodes_[index];
  switch (node.type) {
    case api::NodeType::kTaskGroup:
      if (node.children.empty()) into.push_back(index);
      for (const NodeIndex child : node.children) outbound_nodes(child, into);
      return;
    case api::NodeType::kRetry:
      if (!node.children.empty()) return into.push_back(node.children.back());
      break;
    case api::NodeType::kSteps:
    case api::NodeType::kDag:
      if (node.extra && node.extra->memoization && node.extra->memoization->hit) return into.push_back(index);
      break;
    case api::NodeType::kStepGroup:
      break;
    case api::NodeType::kPod:
      if (!node.plan || !node.plan->source->container_set) return into.push_back(index);
      return last_containers(index, into);
    default:
      return into.push_back(index);
  }
  if (!node.extra) return;
  for (const NodeIndex out : node.extra->outbound) outbound_nodes(out, into);
}

void Machine::set_outbound(NodeIndex index, std::vector<NodeIndex> outbound) {
  Node& node = nodes_[index];
  if (outbound.empty() && !node.extra) return;
  node.extras().outbound = std::move(outbound);
  nodes_.touch(index);
}

}  // namespace tiphys::engine
