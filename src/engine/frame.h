// What a steps or dag node keeps while it runs: how far each of its tasks is, and what holds others back.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/node_status.h"
#include "engine/text.h"

namespace tiphys::engine {

using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = UINT32_MAX;
inline constexpr std::uint32_t kNoTask = UINT32_MAX;

struct CompiledTemplate;
struct DagTargets;

/// One element of a loop.
struct LoopItem {
  std::string description;                                   ///< for the name of its turn
  std::string text;                                          ///< {{item}}
  std::vector<std::pair<std::string, std::string>> members;  ///< {{item.key}}, of an object
};

/// A text of a looped step in which all but the item is resolved.
struct TurnText {
  std::string text;
  std::optional<expr::TextTemplate> program;  ///< when the text still has tags
};

/// outputs.result and outputs.parameters of a loop, as JSON lists.
struct Aggregate {
  std::string result;
  std::string parameters;
  std::map<std::string, std::string, std::less<>> by_name;
};

/// A loop whose items are known: the task has become as many turns.
struct Expansion {
  doc::Array items;
  std::vector<std::string> written;  ///< of withParam: each item's JSON, when some number in them has a fraction
  std::vector<NodeIndex> turns;      ///< by item; kNoNode while not begun
  std::uint32_t next = 0;            ///< the first item not begun
  std::uint32_t open = 0;            ///< turns not settled, begun or not
  TurnText when;
  std::vector<std::optional<TurnText>> arguments;  ///< by position in the step's arguments; nothing: absent
  std::vector<api::Artifact> artifacts;
  std::optional<TurnText> ref_name, ref_template;  ///< of a templateRef with tags
  bool skip = false;                               ///< `when` was false before any item was looked at
  std::unique_ptr<const Aggregate> aggregate;
};

/// continueOn: the task's failure is tolerated.
inline bool continues_on(const api::ContinueOn& rule, api::NodePhase phase) {
  return (rule.error && phase == api::NodePhase::kError) || (rule.failed && phase == api::NodePhase::kFailed);
}
inline constexpr std::string_view kFailFast = "template has failed or errored children and failFast enabled";

enum class TaskStage : std::uint8_t {
  kWaiting,  ///< for dependencies, or for its group
  kBegun,    ///< begun, or held back by parallelism
  kSettled,  ///< ended, with its exit handler
};

struct TaskState {
  NodeIndex node = kNoNode;     ///< the task's node; the task group of a loop in a dag
  std::uint32_t unsettled = 0;  ///< dag: dependencies that are not settled
  TaskStage stage = TaskStage::kWaiting;
};

struct Frame {
  Frame() = default;
  /// Of a node with this plan; none of its tasks has begun.
  Frame(NodeIndex of, const CompiledTemplate& of_plan);

  NodeIndex node = kNoNode;
  const CompiledTemplate* plan = nullptr;
  std::vector<TaskState> tasks;
  std::shared_ptr<const DagTargets> targets;           ///< dag
  std::unordered_map<std::uint32_t, Expansion> loops;  ///< by task
  /// Begun tasks and exit handlers of groups that are not settled; of the current group in steps.
  std::uint32_t open = 0;
  std::uint32_t group = 0;
  NodeIndex group_node = kNoNode;
  NodeIndex last_group_node = kNoNode;  ///< the one before
  /// Tasks that parallelism holds back. The first of the manifest begins first, whichever was due first: a restored
  /// frame cannot know that.
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> held;
  std::vector<std::uint32_t> ended_loops;  ///< of which a restored frame finds nothing left to wait for
  std::vector<NodeIndex> looking_around;   ///< nodes whose hooks look at others' states, too
  std::vector<NodeIndex> daemons;          ///< those that became so, and may have ended since
  NodeIndex fallen_group = kNoNode;        ///< steps: a group before this one, failed since by the end of a daemon
  bool stopping = false;                   ///< nothing begins any more: a step could not be begun, or failFast
  bool waking = false;                     ///< restored: nothing begins before the ends of all in it have been told

  // Nodes whose boundary this is; what parallelism and failFast look at.
  std::uint32_t active_children = 0;  ///< pods, steps and dags, Pending or Running
  std::uint32_t unsuccessful = 0;     ///< pods, steps and dags, Failed or Error
  std::uint32_t waiting = 0;          ///< those that have been told to wait for locks
};

}  // namespace tiphys::engine
