#include <fmt/format.h>

#include "base/check.h"
#include "engine/machine.h"

namespace tiphys::engine {
namespace {

bool active(api::NodePhase phase) {
  return phase == api::NodePhase::kPending || phase == api::NodePhase::kRunning;
}

/// Sums wrap, as the original's do.
Progress difference(const Progress& now, const Progress& before) {
  return {now.done - before.done, now.total - before.total};
}

}  // namespace

/// Adds what the node is now, or takes it away, before and after each change of phase.
void Machine::count(const Node& node, int sign) {
  if (node.type == api::NodeType::kPod && active(node.phase) && !node.awaits_lock) active_pods_ += sign;
  if (Frame* frame = frame_of(node.boundary)) count_in_frame(node, *frame, sign);
}

void Machine::count_in_frame(const Node& node, Frame& frame, int sign) {
  // What asks for locks or the cache counts too: the attempt of a retry node is yet to come.
  const bool child = node.type == api::NodeType::kPod || node.type == api::NodeType::kSteps ||
                     node.type == api::NodeType::kDag || node.asks_cache() || node.asks_locks();
  if (!child) return;
  const bool is_active = active(node.phase);
  if (node.awaits_lock) frame.waiting += sign;
  if (is_active) frame.active_children += sign;
  if (node.failed_or_error()) frame.unsuccessful += sign;
}

/// The same with what `progress` counts: for a node that comes to be, or becomes another.
void Machine::count_whole(const Node& node, int sign) {
  if (executable(node.type)) {
    const Progress own = node.progress_now();
    add_progress(node, sign > 0 ? own : difference({}, own));
  }
  count(node, sign);
}

NodeIndex Machine::container_of(const Node& node) const {
  switch (node.owner) {
    case Owner::kEntry:
    case Owner::kExit:
      return kNoNode;
    case Owner::kAttempt:
      return node.owner_node;
    case Owner::kHook:
      return container_of(nodes_[node.owner_node]);
    case Owner::kTask:
      return node.owner_node != kNoNode ? node.owner_node : node.boundary;
    case Owner::kGroup:
      return node.boundary;
  }
  return kNoNode;
}

void Machine::add_progress(const Node& node, const Progress& more) {
  if (more.done == 0 && more.total == 0) return;
  const auto add = [&](Progress& sum) {
    sum.done += more.done;
    sum.total += more.total;
  };
  add(progress_);
  for (NodeIndex at = container_of(node); at != kNoNode; at = container_of(nodes_[at])) {
    // Of a pod with containers that count, its own is what it tells.
    if (!executable(nodes_[at].type)) add(nodes_[at].progress);
    // Its last state is written already: a daemon has ended after its group.
    if (nodes_[at].fulfilled()) nodes_.touch(at);
  }
}

void Machine::set_phase(NodeIndex index, api::NodePhase phase) {
  Node& node = nodes_[index];
  if (node.phase == phase) return;
  const bool ended = node.fulfilled();
  const Progress before = node.progress_now();
  if (active(node.phase) && active(phase)) {
    node.phase = phase;
  } else {
    count(node, -1);
    node.phase = phase;
    count(node, 1);
  }
  add_progress(node, difference(node.progress_now(), before));
  nodes_.touch(index);
  phase_seen(index);
  if (node.failed_or_error()) node_failed_ = true;
  if (!api::fulfilled(phase)) return;
  if (node.finished_at == Time{}) node.finished_at = now_;
  if (!ended && has_end_metrics(node)) emit_node_metrics(index);
  release_locks(index);
  if (!asleep_.empty()) give_up_asleep(index);
  push(Action::Kind::kEnded, index);
  make_room(node);
  if (node.frame) end_daemons(node.frame->daemons);
  if (node.type == api::NodeType::kPod) end_containers(index, phase, node.message);
}

/// What the node left may let others begin. A container leaves nothing: its pod does, and has not ended yet.
void Machine::make_room(const Node& node) {
  if (node.type == api::NodeType::kContainer) return;
  if (const Frame* frame = frame_of(node.boundary); frame && !frame->held.empty()) block(node.boundary);
  if (!blocked_.empty()) push(Action::Kind::kUnblock, kNoNode);
}

/// What its pod tells of itself.
void Machine::set_progress(NodeIndex index, const Progress& told) {
  Node& node = nodes_[index];
  if (told.done == node.progress.done && told.total == node.progress.total) return;
  const Progress before = node.progress_now();
  node.progress = told;
  add_progress(node, difference(node.progress_now(), before));
  nodes_.touch(index);
}

void Machine::set_phase(NodeIndex index, api::NodePhase phase, std::string message) {
  set_message(index, std::move(message));
  set_phase(index, phase);
}

void Machine::set_message(NodeIndex index, std::string message) {
  Node& node = nodes_[index];
  if (node.message == message) return;
  node.message = std::move(message);
  nodes_.touch(index);
}

void Machine::errored(NodeIndex index, const std::string& error) {
  set_phase(index, api::NodePhase::kError, error);
  tell_error(index, error);
}

/// The original hands an error up the call chain, and each caller words it for itself.
void Machine::tell_error(NodeIndex index, const std::string& error) {
  const Node& node = nodes_[index];
  switch (node.owner) {
    case Owner::kGroup:
    case Owner::kAttempt:
      return;
    case Owner::kEntry:
      return end_run(RunStatus::Phase::kError, "error in entry template execution: " + error);
    case Owner::kExit:
      return end_run(RunStatus::Phase::kError, "error in exit template execution : " + error);
    case Owner::kTask:
    case Owner::kHook:
      break;
  }
  if (node.owner == Owner::kHook && node.owner_node == entry_) {
    return set_phase(entry_, api::NodePhase::kError, error);
  }
  Frame* frame = frame_of(node.boundary);
  if (!frame) return;
  if (frame->plan->dag()) {
    if (node.owner == Owner::kTask) set_message(index, fmt::format("task '{}' errored: {}", node.name, error));
  } else if (node.owner == Owner::kTask) {
    fail_group(*frame, api::NodePhase::kError,
               fmt::format("step group deemed errored due to child {} error: {}", node.name, error));
  } else {
    fail_group(*frame, api::NodePhase::kError, error);
  }
}

}  // namespace tiphys::engine
