#include "engine/manual_retry.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/names.h"
#include "engine/node_graph.h"

namespace tiphys::engine {
namespace {

bool is_group(api::NodeType type) {
  using enum api::NodeType;
  return type == kDag || type == kTaskGroup || type == kSteps || type == kStepGroup;
}

bool runs_something(api::NodeType type) {
  using enum api::NodeType;
  return type == kContainer || type == kPod || type == kHttp || type == kPlugin;
}

class Surgery {
 public:
  Surgery(std::string_view workflow_name, std::vector<api::NodeStatus> nodes, const ManualRetryOptions& options)
      : options_(options), graph_(workflow_name, std::move(nodes)), marks_(graph_.size()) {}

  ManualRetry run() {
    const std::vector<bool> wanted = chosen();
    // From the top: what goes along with a node is not looked at for itself.
    for (const std::size_t at : graph_.from_root()) {
      if (wanted[at] && !marks_[at].removed) remove_and_climb(at);
    }
    if (options_.other_parameters) remove_groups();
    for (std::size_t at = 0; at < graph_.size(); ++at) {
      if (graph_.of_exit_handler(at)) marks_[at].removed = true;
      if (marks_[at].reset && api::failed_or_error(graph_.node(at).phase)) remove_exit_handler(at);
    }
    return result();
  }

 private:
  struct Marks {
    bool removed = false;
    bool reset = false;
    bool climbed = false;
  };

  /// In the original a failed node is not tried again when its exit handler has done well; here hooks do not count.
  std::vector<bool> chosen() const {
    const std::vector<bool> succeeded_after = graph_.succeeded_after(options_.restarted);
    std::vector<bool> wanted(graph_.size());
    for (std::size_t at = 0; at < graph_.size(); ++at) {
      const api::NodeStatus& node = graph_.node(at);
      const bool failed = api::failed_or_error(node.phase) && runs_something(node.type);
      const bool restarted = options_.restarted.contains(node.id);
      wanted[at] = (restarted || (failed && !succeeded_after[retry_or_self(at)])) && !superseded(at);
    }
    return wanted;
  }

  std::size_t retry_or_self(std::size_t at) const {
    const std::size_t retry = graph_.retry_of(at);
    return retry == NodeGraph::kNone ? at : retry;
  }

  /// Within an attempt, itself a group, that another has followed. The original would let it run for ever.
  bool superseded(std::size_t at) const {
    for (; at != NodeGraph::kNone; at = graph_.boundary(at)) {
      const std::size_t retry = graph_.retry_of(at);
      if (retry == NodeGraph::kNone || !is_group(graph_.node(at).type)) continue;
      if (graph_.last_attempt(retry) != at) return true;
    }
    return false;
  }

  void remove_and_climb(std::size_t from) {
    // A container of a set does not run alone: its pod goes.
    if (graph_.node(from).type == api::NodeType::kContainer) from = graph_.boundary(from);
    if (from == NodeGraph::kNone) return;
    remove_from(from);
    reset_around(from);
  }

  void remove_from(std::size_t from) {
    if (from == NodeGraph::kNone) return;
    std::vector<std::size_t> open{from};
    while (!open.empty()) {
      const std::size_t at = open.back();
      open.pop_back();
      if (std::exchange(marks_[at].removed, true)) continue;
      std::ranges::copy(graph_.children(at), std::back_inserter(open));
    }
  }

  /// What the node is a part of, outwards. The original also resets nested groups that come before it; they would end
  /// as they did.
  void reset_around(std::size_t at) {
    while (at != NodeGraph::kNone && !std::exchange(marks_[at].climbed, true)) {
      if (const std::size_t retry = graph_.retry_of(at); retry != NodeGraph::kNone) {
        marks_[retry].reset = true;
        at = retry;
      }
      if (const std::size_t owner = graph_.parent(at); graph_.node(at).hooked && owner != NodeGraph::kNone) {
        const api::NodeStatus& node = graph_.node(owner);
        const bool failed_retry = node.type == api::NodeType::kRetry && api::failed_or_error(node.phase);
        if (is_group(node.type) || failed_retry) marks_[owner].reset = true;
        at = owner;
      }
      const std::size_t parent = graph_.parent(at), boundary = graph_.boundary(at);
      if (parent != NodeGraph::kNone && graph_.boundary(parent) == boundary) {
        const api::NodeType type = graph_.node(parent).type;
        const bool holds = type == api::NodeType::kTaskGroup ||
                           (type == api::NodeType::kStepGroup && graph_.node(at).type != api::NodeType::kStepGroup);
        if (holds) marks_[parent].reset = true;
      }
      if (boundary != NodeGraph::kNone) marks_[boundary].reset = true;
      at = boundary;
    }
  }

  /// The original keeps the groups themselves, empty; here their steps and tasks begin again once it is their turn.
  void remove_groups() {
    for (std::size_t at = 0; at < graph_.size(); ++at) {
      const api::NodeType type = graph_.node(at).type;
      const bool group = type == api::NodeType::kTaskGroup || type == api::NodeType::kStepGroup;
      if (group && marks_[at].reset) remove_from(at);
    }
  }

  /// It has run for the failure. The original lets it stay, and another end of the group goes unhandled.
  void remove_exit_handler(std::size_t at) {
    const std::string handler = on_exit_name(graph_.node(at).name);
    for (const std::size_t child : graph_.children(at)) {
      if (graph_.node(child).hooked && graph_.node(child).name == handler) remove_from(child);
    }
  }

  void reset(api::NodeStatus& node) const {
    if (node.phase != api::NodePhase::kSkipped) node.phase = api::NodePhase::kRunning;
    node.message.clear();
    node.started_at = options_.now;
    node.finished_at = {};
    // Nothing of it has run: what is saved decides again.
    if (node.memoization && node.memoization->hit) node.memoization.reset();
  }

  ManualRetry result() {
    ManualRetry retry;
    const auto gone = [this](const std::string& id) {
      const std::size_t at = graph_.find(id);
      return at == NodeGraph::kNone || marks_[at].removed;
    };
    for (std::size_t at = 0; at < graph_.size(); ++at) {
      api::NodeStatus node = std::move(graph_.node(at));
      if (marks_[at].removed) {
        retry.removed.push_back(std::move(node.id));
        continue;
      }
      if (marks_[at].reset) reset(node);
      const auto lost = std::erase_if(node.children, gone) + std::erase_if(node.outbound_nodes, gone);
      if (marks_[at].reset || lost > 0) retry.changed.push_back(node.id);
      retry.nodes.push_back(std::move(node));
    }
    return retry;
  }

  const ManualRetryOptions& options_;
  NodeGraph graph_;
  std::vector<Marks> marks_;
};

}  // namespace

ManualRetry retry_nodes(std::string_view workflow_name, std::vector<api::NodeStatus> nodes,
                        const ManualRetryOptions& options) {
  return Surgery(workflow_name, std::move(nodes), options).run();
}

}  // namespace tiphys::engine
