// The containers of a pod as nodes of their own, below the node of the pod.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "engine/machine.h"

namespace tiphys::engine {
namespace {

/// What a container's end is in the original: 64 is its executor's own failure, such as a dependency that has failed.
constexpr int kExecutorFailed = 64;

api::NodePhase end_phase(int exit_code) {
  if (exit_code == 0) return api::NodePhase::kSucceeded;
  return exit_code == kExecutorFailed ? api::NodePhase::kError : api::NodePhase::kFailed;
}

}  // namespace

std::string Machine::container_name(NodeIndex pod, std::string_view container) const {
  return fmt::format("{}.{}", nodes_[pod].name, container);
}

void Machine::create_containers(NodeIndex pod) {
  const auto& set = nodes_[pod].plan->source->container_set;
  if (!set) return;
  std::unordered_map<std::string_view, NodeIndex> made;
  for (const api::ContainerSet::Container& container : set->containers) {
    const Node& around = nodes_[pod];
    Call call;
    call.name = container_name(pod, container.name);
    call.template_name = around.template_name;
    call.template_ref = around.template_ref;
    call.boundary = pod;
    call.owner = Owner::kGroup;
    call.depth = around.depth;
    call.hooked = around.hooked;
    call.retried = around.retried;
    call.on_exit = around.on_exit;
    made.emplace(container.name, create(call, api::NodeType::kContainer, api::NodePhase::kPending));
  }
  for (const api::ContainerSet::Container& container : set->containers) {
    const NodeIndex child = made.at(container.name);
    if (container.dependencies.empty()) add_child(pod, child);
    for (const std::string& dependency : container.dependencies) add_child(made.at(dependency), child);
  }
}

void Machine::containers_changed(NodeIndex pod, const std::vector<PodChanged::Container>& containers) {
  if (!nodes_[pod].plan || !nodes_[pod].plan->source->container_set) return;
  using State = PodChanged::Container::State;
  for (const PodChanged::Container& container : containers) {
    const NodeIndex index = nodes_.find_name(container_name(pod, container.name));
    if (index == kNoNode || nodes_[index].type != api::NodeType::kContainer || nodes_[index].fulfilled()) continue;
    if (container.state == State::kRunning) set_phase(index, api::NodePhase::kRunning);
    if (container.state != State::kEnded) continue;
    if (container.finished_at != Time{}) nodes_[index].finished_at = container.finished_at;
    const api::NodePhase phase = end_phase(container.exit_code);
    set_phase(index, phase, phase == api::NodePhase::kSucceeded ? "" : container.message);
  }
}

/// Those that have not ended end as their pod did.
void Machine::end_containers(NodeIndex pod, api::NodePhase phase, const std::string& message) {
  if (!nodes_[pod].plan || !nodes_[pod].plan->source->container_set) return;
  for (const api::ContainerSet::Container& container : nodes_[pod].plan->source->container_set->containers) {
    const NodeIndex index = nodes_.find_name(container_name(pod, container.name));
    if (index != kNoNode && !nodes_[index].fulfilled()) set_phase(index, phase, message);
  }
}

/// Of a restored pod: its containers are called as it is.
void Machine::place_containers(NodeIndex pod, const std::vector<NodeIndex>& members) {
  for (const NodeIndex member : members) {
    if (nodes_[member].type != api::NodeType::kContainer) continue;
    nodes_[member].template_name = nodes_[pod].template_name;
    nodes_[member].template_ref = nodes_[pod].template_ref;
    nodes_[member].depth = nodes_[pod].depth;
    nodes_[member].on_exit = nodes_[pod].on_exit;
  }
}

/// The containers that no other one of the pod waits for, in the order in which children lead to them.
void Machine::last_containers(NodeIndex pod, std::vector<NodeIndex>& into) const {
  std::vector<NodeIndex> open = {pod}, seen;
  while (!open.empty()) {
    const NodeIndex index = open.back();
    open.pop_back();
    if (std::ranges::find(seen, index) != seen.end()) continue;
    seen.push_back(index);
    bool last = true;
    const auto& children = nodes_[index].children;
    for (auto child = children.rbegin(); child != children.rend(); ++child) {
      if (nodes_[*child].type != api::NodeType::kContainer || nodes_[*child].boundary != pod) continue;
      last = false;
      open.push_back(*child);
    }
    if (last) into.push_back(index);
  }
}

}  // namespace tiphys::engine
