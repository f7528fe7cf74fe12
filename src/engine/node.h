// The nodes of a run in the dense form in which a run keeps them, and their table.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/node_status.h"
#include "base/progress.h"
#include "engine/compiled_template.h"
#include "engine/frame.h"
#include "engine/node_outputs.h"

namespace tiphys::engine {

/// Whom a node reports its end to.
enum class Owner : std::uint8_t {
  kEntry,    ///< the run
  kExit,     ///< the run: the workflow's exit handler
  kTask,     ///< the frame of its boundary: a step or task, or one turn of its loop
  kGroup,    ///< nobody: step groups and task groups are ended by their frame
  kAttempt,  ///< the retry node `owner_node`
  kHook,     ///< the node `owner_node`, whose exit handler or other hook it is
};

/// What few nodes have.
struct NodeExtra {
  std::string display_name;  ///< when the template gives one
  std::string pod_ip;
  std::string host_node_name;
  api::ResourcesDuration resources_duration;
  std::optional<api::Inputs> inputs;  ///< templates with rich inputs
  std::optional<api::MemoizationStatus> memoization;
  std::vector<NodeIndex> outbound;
  std::string awaited_lock;  ///< the one that is in its way
};

/// What the original's agent pod does, and the plane here: a node without a pod of its own.
inline bool without_pod(api::NodeType type) {
  return type == api::NodeType::kHttp || type == api::NodeType::kPlugin;
}

/// A steps or dag node: while it runs it has a frame.
inline bool holds_frame(api::NodeType type) {
  return type == api::NodeType::kSteps || type == api::NodeType::kDag;
}

/// Counted by `progress`: nodes that are work by themselves.
inline bool executable(api::NodeType type) {
  return api::is_work(type) || type == api::NodeType::kContainer;
}

/// Begins as Pending: what is outside the run tells when it runs, or has ended.
inline bool begins_pending(api::NodeType type) {
  return api::is_work(type);
}

/// What ends a node's work as it was to be.
inline bool progressed(api::NodePhase phase) {
  return phase == api::NodePhase::kSucceeded || phase == api::NodePhase::kSkipped || phase == api::NodePhase::kOmitted;
}

struct Node {
  std::string name;
  std::string message;
  Time started_at{};
  Time finished_at{};
  std::vector<NodeIndex> children;
  /// What it runs; null for groups, and for nodes that never got so far.
  const CompiledTemplate* plan = nullptr;
  const std::string* template_name = nullptr;
  const api::TemplateRef* template_ref = nullptr;  ///< null: the name is one of the node's scope
  std::unique_ptr<std::string[]> inputs;           ///< values, by position in plan->inputs, unless they are rich
  std::unique_ptr<NodeOutputs> outputs;
  std::unique_ptr<NodeExtra> extra;
  std::unique_ptr<Frame> frame;  ///< steps and dag, while they run
  std::uint32_t hash = 0;        ///< the id's number
  NodeIndex boundary = kNoNode;
  NodeIndex owner_node = kNoNode;
  std::uint32_t task = kNoTask;  ///< in the plan of the boundary
  std::uint32_t turn = kNoTask;  ///< in the task's loop; of hooks: which of their owner's it is
  /// Of work: as it has told of itself, no total until then. Of others: the sum of all work within.
  Progress progress;
  std::int16_t exit_code = kNoExitCode;
  std::uint16_t depth = 0;  ///< templates around it, itself included
  api::NodeType type = api::NodeType::kPod;
  api::NodePhase phase = api::NodePhase::kUnset;
  Owner owner = Owner::kEntry;
  bool hooked : 1 = false;
  bool retried : 1 = false;
  bool on_exit : 1 = false;      ///< within an exit handler
  bool exit_hook : 1 = false;    ///< kHook: the exit handler of its owner
  bool left : 1 = false;         ///< its frame has heard of its end, hooks and exit handler included
  bool changed : 1 = false;      ///< since the last take_changes
  bool settled : 1 = false;      ///< its end has been told to its owner
  bool pod_asked : 1 = false;    ///< its pod or resource is taken to exist
  bool has_locks : 1 = false;    ///< those of its template
  bool awaits_lock : 1 = false;  ///< has been told to wait for them: counts as no pod
  bool asleep : 1 = false;       ///< restored, and what it comes after runs again
  bool has_outputs : 1 = false;  ///< outputs or an exit code were reported, even empty ones
  /// What an omitted or skipped task passes on to omitted tasks after it: bits of BranchPhase.
  std::uint8_t branch = 0;
  bool daemoned = false;                               ///< runs beside those after it, until its scope ends
  api::NodePhase told_phase = api::NodePhase::kUnset;  ///< at the last take_changes

  static constexpr std::int16_t kNoExitCode = INT16_MIN;

  bool fulfilled() const { return api::fulfilled(phase); }
  bool failed_or_error() const { return api::failed_or_error(phase); }
  /// How much of it is done: a node of work is one piece unless it counts for itself.
  Progress progress_now() const {
    if (!executable(type)) return progress;
    const std::uint64_t total = progress.total == 0 ? 1 : progress.total;
    return {progressed(phase) ? total : progress.done, total};
  }
  /// Others need not wait for it.
  bool lets_pass() const { return fulfilled() || daemoned; }
  /// Ran to an end; skipped and omitted nodes did not.
  bool completed() const { return phase == api::NodePhase::kSucceeded || failed_or_error(); }
  /// What it has saved, if anything, decides whether it runs.
  bool asks_cache() const {
    return plan && plan->source->memoize && owner != Owner::kAttempt && !fulfilled() && !(extra && extra->memoization);
  }
  /// It is not to begin before it has the locks of its template. They are asked for before the cache.
  bool asks_locks() const { return plan && plan->locks && owner != Owner::kAttempt && !lets_pass() && !has_locks; }
  NodeExtra& extras() {
    if (!extra) extra = std::make_unique<NodeExtra>();
    return *extra;
  }
};

/// Index by the 32 bits of an id's hash: open addressing, eight bytes an entry.
class HashIndex {
 public:
  NodeIndex find(std::uint32_t hash) const;
  /// The hash must be new.
  void insert(std::uint32_t hash, NodeIndex node);

 private:
  struct Slot {
    std::uint32_t hash = 0;
    NodeIndex node = kNoNode;
  };
  void grow();
  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

class NodeTable {
 public:
  explicit NodeTable(std::string_view workflow_name) : workflow_name_(workflow_name) {}

  Node& operator[](NodeIndex index) { return nodes_[index]; }
  const Node& operator[](NodeIndex index) const { return nodes_[index]; }
  std::size_t size() const { return nodes_.size(); }

  /// A new node named `name`. Its id is the name's hash; when another node has that already, the next free hash of the
  /// name with a counter (the original takes the two for one).
  NodeIndex add(std::string name);
  /// A node that was persisted under `id`; an error when the id is none of this workflow's or taken.
  Result<NodeIndex> add_persisted(std::string name, std::string_view id);
  NodeIndex find_id(std::string_view id) const;
  NodeIndex find_name(std::string_view name) const;
  std::string id(NodeIndex index) const;
  std::string pod_name(NodeIndex index) const;

  void touch(NodeIndex index);
  /// The touched nodes in order; forgets them.
  std::vector<NodeIndex> take_touched();

 private:
  std::string_view workflow_name_;
  std::deque<Node> nodes_;  ///< references stay valid
  HashIndex by_hash_;
  NodeIndex entry_ = kNoNode;  ///< the one whose id is the workflow's name
  std::vector<NodeIndex> touched_;
};

}  // namespace tiphys::engine
