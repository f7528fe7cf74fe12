// Stopping a run: on request, or at its deadline.
#include <fmt/format.h>

#include <algorithm>

#include "engine/machine.h"

namespace tiphys::engine {

bool Machine::past_deadline() const {
  return deadline_ && now_ >= *deadline_;
}

void Machine::handle(const ShutdownRequested& event) {
  shutdown_ = event.strategy;
  workflow_.spec.shutdown = event.strategy;
  const bool all = shutdown_ == "Terminate";
  if (entry_ == kNoNode) {
    return end_run(RunStatus::Phase::kFailed, fmt::format("Stopped with strategy '{}'", shutdown_));
  }
  stop_all(fmt::format("workflow shutdown with strategy:  {}", shutdown_),
           fmt::format("Stopped with strategy '{}'", shutdown_), all);
}

/// Those that have not ended, by name: what ends first decides what failFast and parallelism let begin, and a restored
/// run has its nodes in another order.
std::vector<NodeIndex> Machine::open_nodes() const {
  std::vector<NodeIndex> open;
  for (NodeIndex index = 0; index < nodes_.size(); ++index) {
    if (!nodes_[index].fulfilled() && !nodes_[index].asleep) open.push_back(index);
  }
  std::ranges::sort(open, {}, [this](NodeIndex index) -> const std::string& { return nodes_[index].name; });
  return open;
}

/// Ends what runs or waits by itself; the nodes around it follow. Exit handlers go on unless they are meant too, and
/// what asks the cache until it hears: it may end well, and fails at once if it is to run.
void Machine::stop_all(const std::string& pod_message, const std::string& other_message, bool exit_handlers_too) {
  for (const NodeIndex index : open_nodes()) {
    const Node& node = nodes_[index];
    if (node.on_exit && !exit_handlers_too) continue;
    if (node.asks_locks()) {
      set_phase(index, api::NodePhase::kFailed, other_message);
      continue;
    }
    if (node.asks_cache()) continue;
    // A daemon ends with its scope.
    if (node.daemoned && node.type == api::NodeType::kPod) continue;
    if (node.type == api::NodeType::kPod) {
      stop_pod(index);
      set_phase(index, api::NodePhase::kFailed, pod_message);
    } else if (without_pod(node.type)) {
      stop_pod(index);
      set_phase(index, api::NodePhase::kFailed, other_message);
    } else if (node.type == api::NodeType::kSuspend) {
      set_phase(index, api::NodePhase::kFailed, other_message);
    } else if (node.type == api::NodeType::kRetry) {
      push(Action::Kind::kRetry, index);
    } else if (node.frame && !node.frame->held.empty()) {
      block(index);
    }
  }
  push(Action::Kind::kUnblock, kNoNode);
}

}  // namespace tiphys::engine
