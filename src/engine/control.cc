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
  if (entry_ == kNoNode && lookups_.empty()) {
    return end_run(RunStatus::Phase::kFailed, fmt::format("Stopped with strategy '{}'", shutdown_));
  }
  stop_all(fmt::format("workflow shutdown with strategy:  {}", shutdown_),
           fmt::format("Stopped with strategy '{}'", shutdown_), all);
}

/// Ends what runs or waits by itself; the nodes around it follow. Exit handlers go on unless they are meant too.
/// By name: what ends first decides what failFast still lets begin, and a restored run has its nodes in another order.
void Machine::stop_all(const std::string& pod_message, const std::string& other_message, bool exit_handlers_too) {
  std::vector<NodeIndex> open;
  for (NodeIndex index = 0; index < nodes_.size(); ++index) {
    const Node& node = nodes_[index];
    if (!node.fulfilled() && (!node.on_exit || exit_handlers_too)) open.push_back(index);
  }
  std::ranges::sort(open, {}, [this](NodeIndex index) -> const std::string& { return nodes_[index].name; });
  for (const NodeIndex index : open) {
    const Node& node = nodes_[index];
    if (node.type == api::NodeType::kPod) {
      stop_pod(index);
      set_phase(index, api::NodePhase::kFailed, pod_message);
    } else if (node.type == api::NodeType::kSuspend) {
      set_phase(index, api::NodePhase::kFailed, other_message);
    } else if (node.type == api::NodeType::kRetry) {
      push(Action::Kind::kRetry, index);
    } else if (node.frame && !node.frame->held.empty()) {
      push(Action::Kind::kPump, index);
    }
  }
  push(Action::Kind::kUnblock, kNoNode);
}

}  // namespace tiphys::engine
