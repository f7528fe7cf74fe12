#include "engine/resubmit_nodes.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/names.h"
#include "engine/node.h"
#include "engine/node_graph.h"
#include "engine/run.h"

namespace tiphys::engine {
namespace {

class Copy {
 public:
  Copy(std::string_view before, std::vector<api::NodeStatus> nodes, std::string_view after, Time now)
      : before_(before),
        after_(after),
        now_(now),
        graph_(before, std::move(nodes)),
        left_out_(graph_.size()),
        names_(after),
        ids_(graph_.size()) {}

  std::vector<api::NodeStatus> run() {
    const std::vector<bool> succeeded_after = graph_.succeeded_after({});
    for (std::size_t at = 0; at < graph_.size(); ++at) {
      const api::NodeStatus& node = graph_.node(at);
      if (node.type == api::NodeType::kSkipped && !succeeded_after[at]) left_out_[at] = true;
      if (graph_.of_exit_handler(at)) left_out_[at] = true;
      if (failed_pod(at) && !superseded(at)) leave_out_pod(at);
    }
    for (std::size_t at = 0; at < graph_.size(); ++at) {
      if (within_left_out(at)) left_out_[at] = true;
    }
    leave_out_emptied();
    for (std::size_t at = 0; at < graph_.size(); ++at) {
      if (!left_out_[at]) ids_[at] = names_.id(names_.add(renamed(graph_.node(at).name)));
    }
    std::vector<api::NodeStatus> copies;
    for (std::size_t at = 0; at < graph_.size(); ++at) {
      if (!left_out_[at]) copies.push_back(copy(at));
    }
    return copies;
  }

 private:
  bool failed_pod(std::size_t at) const {
    return graph_.node(at).type == api::NodeType::kPod && api::failed_or_error(graph_.node(at).phase);
  }

  /// It is, or is within, an attempt that another has followed: history. The original would have it wait for ever.
  bool superseded(std::size_t at) const {
    for (; at != NodeGraph::kNone; at = graph_.boundary(at)) {
      const std::size_t retry = graph_.retry_of(at);
      if (retry != NodeGraph::kNone && graph_.last_attempt(retry) != at) return true;
    }
    return false;
  }

  /// With its hooks; the attempts of a retry node that failed go all, and are counted anew. The original keeps the
  /// node Pending, and tries the last attempt once more only.
  void leave_out_pod(std::size_t at) {
    const std::size_t retry = graph_.retry_of(at);
    left_out_[at] = true;
    for (const std::size_t child : graph_.children(at)) {
      if (graph_.node(child).hooked) left_out_[child] = true;
    }
    if (retry == NodeGraph::kNone) return;
    for (const std::size_t child : graph_.children(retry)) {
      if (graph_.retry_of(child) == retry || graph_.node(child).hooked) left_out_[child] = true;
    }
  }

  /// A group of which nothing is left begins anew, once what it hangs on is there.
  void leave_out_emptied() {
    for (bool more = true; more;) {
      more = false;
      std::vector<bool> holds(graph_.size());
      for (std::size_t at = 0; at < graph_.size(); ++at) {
        if (left_out_[at] || graph_.node(at).hooked) continue;
        if (graph_.boundary(at) != NodeGraph::kNone) holds[graph_.boundary(at)] = true;
        const std::size_t retry = graph_.retry_of(at), parent = graph_.parent(at);
        if (retry != NodeGraph::kNone) holds[retry] = true;
        if (parent == NodeGraph::kNone || graph_.boundary(parent) != graph_.boundary(at)) continue;
        if (graph_.node(at).type != api::NodeType::kStepGroup) holds[parent] = true;
      }
      for (std::size_t at = 0; at < graph_.size(); ++at) {
        using enum api::NodeType;
        const api::NodeType type = graph_.node(at).type;
        const bool group = type == kDag || type == kSteps || type == kTaskGroup || type == kStepGroup || type == kRetry;
        const std::size_t owner = graph_.node(at).hooked ? graph_.parent(at) : NodeGraph::kNone;
        const std::size_t retry = graph_.retry_of(at);
        const bool of_retry = retry != NodeGraph::kNone && left_out_[retry];
        const bool goes = (group && !holds[at]) || (owner != NodeGraph::kNone && left_out_[owner]) || of_retry ||
                          within_left_out(at) || follows_left_out(at);
        if (!goes || left_out_[at]) continue;
        left_out_[at] = more = true;
      }
    }
  }

  /// A step of a group that begins anew, or a group after one: steps run in order.
  bool follows_left_out(std::size_t at) const {
    const std::size_t parent = graph_.parent(at), boundary = graph_.boundary(at);
    if (graph_.node(at).type != api::NodeType::kStepGroup) {
      return parent != NodeGraph::kNone && graph_.node(parent).type == api::NodeType::kStepGroup &&
             graph_.boundary(parent) == boundary && left_out_[parent];
    }
    if (boundary == NodeGraph::kNone) return false;
    const std::string& around = graph_.node(boundary).name;
    const std::uint32_t group = step_group_index(graph_.node(at).name, around).value_or(0);
    if (group == 0) return false;
    const std::size_t before = graph_.find(node_id(before_, step_group_name(around, group - 1)));
    return before == NodeGraph::kNone || left_out_[before];
  }

  bool within_left_out(std::size_t at) const {
    for (; at != NodeGraph::kNone; at = graph_.boundary(at)) {
      if (left_out_[at]) return true;
    }
    return false;
  }

  std::string renamed(const std::string& name) const {
    return name.starts_with(before_) ? std::string(after_) + name.substr(before_.size()) : name;
  }

  /// In place of one that is left out, those after it.
  void add_ids(const std::vector<std::string>& from, std::vector<std::string>& into) const {
    for (const std::string& id : from) {
      const std::size_t at = graph_.find(id);
      if (at == NodeGraph::kNone) continue;
      if (left_out_[at]) {
        add_ids(graph_.node(at).children, into);
      } else if (std::ranges::find(into, ids_[at]) == into.end()) {
        into.push_back(ids_[at]);
      }
    }
  }

  api::NodeStatus copy(std::size_t at) const {
    api::NodeStatus node = graph_.node(at);
    const std::string id = std::exchange(node.id, ids_[at]);
    node.name = renamed(node.name);
    if (node.boundary_id.empty()) node.display_name = node.name;
    const std::string scope = "local/" + std::string(before_);
    if (node.template_scope == scope) node.template_scope = "local/" + std::string(after_);
    const std::size_t boundary = graph_.boundary(at);
    if (boundary != NodeGraph::kNone) node.boundary_id = ids_[boundary];
    node.children.clear();
    node.outbound_nodes.clear();
    add_ids(graph_.node(at).children, node.children);
    add_ids(graph_.node(at).outbound_nodes, node.outbound_nodes);
    const bool keeps = node.type == api::NodeType::kSkipped || node.type == api::NodeType::kContainer;
    if (keeps || superseded(at)) return node;
    node.started_at = now_;
    if (node.type == api::NodeType::kPod) {
      node.type = api::NodeType::kSkipped;
      node.phase = api::NodePhase::kSkipped;
      node.message = "original pod: " + id;
      node.progress.clear();
      node.finished_at = now_;
    } else {
      node.phase = api::NodePhase::kPending;
      node.message.clear();
      node.finished_at = {};
    }
    return node;
  }

  std::string_view before_, after_;
  Time now_;
  NodeGraph graph_;
  std::vector<bool> left_out_;
  NodeTable names_;
  std::vector<std::string> ids_;  ///< of the copies
};

}  // namespace

std::vector<api::NodeStatus> resubmit_nodes(std::string_view before, std::vector<api::NodeStatus> nodes,
                                            std::string_view after, Time now) {
  return Copy(before, std::move(nodes), after, now).run();
}

}  // namespace tiphys::engine
