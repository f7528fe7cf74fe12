// The status of one node of a run, as Argo's UI, CLI and SDKs read it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/workflow.h"

namespace tiphys::api {

enum class NodeType {
  kPod,
  kContainer,
  kSteps,
  kStepGroup,
  kDag,
  kTaskGroup,
  kRetry,
  kSkipped,
  kSuspend,
  kHttp,
  kPlugin
};
/// Nodes that are work by themselves, and end when they are told so from outside of the run.
constexpr bool is_work(NodeType type) {
  return type == NodeType::kPod || type == NodeType::kSuspend || type == NodeType::kHttp || type == NodeType::kPlugin;
}

enum class NodePhase : std::uint8_t { kUnset, kPending, kRunning, kSucceeded, kSkipped, kFailed, kError, kOmitted };

std::string_view node_type_name(NodeType type);
std::optional<NodeType> parse_node_type(std::string_view name);
std::string_view node_phase_name(NodePhase phase);
std::optional<NodePhase> parse_node_phase(std::string_view name);

/// Finished for good: Succeeded, Skipped, Failed, Error or Omitted.
constexpr bool fulfilled(NodePhase phase) {
  return phase > NodePhase::kRunning;
}
constexpr bool failed_or_error(NodePhase phase) {
  return phase == NodePhase::kFailed || phase == NodePhase::kError;
}

/// Seconds by resource ("cpu", "memory"): what was asked for times how long, in units of a core, 100Mi of memory,
/// 10Gi of storage.
using ResourcesDuration = std::map<std::string, std::int64_t>;

/// As `status` of a workflow or node has it; null: none.
ResourcesDuration read_resources_duration(const doc::Value* written);
/// Adds `more` to `sum`.
void add(ResourcesDuration& sum, const ResourcesDuration& more);

struct MemoizationStatus {
  bool hit = false;
  std::string key;
  std::string cache_name;
};

struct NodeStatus {
  std::string id;
  std::string name;
  std::string display_name;
  NodeType type = NodeType::kPod;
  NodePhase phase = NodePhase::kUnset;
  std::string template_name;                ///< "" with a template_ref
  std::optional<TemplateRef> template_ref;  ///< of another object's template
  std::string template_scope;               ///< where both are looked up: "local/WORKFLOW", "namespaced/OBJECT"
  std::string boundary_id;
  std::string message;
  std::string progress;  ///< "N/M"
  ResourcesDuration resources_duration;
  Time started_at{};
  Time finished_at{};
  std::int64_t estimated_seconds = 0;  ///< that it is expected to take; 0: nothing is known
  bool hooked = false;                 ///< nodeFlag
  bool retried = false;                ///< nodeFlag
  bool daemoned = false;
  std::string pod_ip;
  std::string host_node_name;
  std::optional<Inputs> inputs;
  std::optional<Outputs> outputs;
  std::vector<std::string> children;
  std::vector<std::string> outbound_nodes;
  std::optional<MemoizationStatus> memoization;
  std::string awaited_lock;  ///< synchronizationStatus.waiting: the lock that keeps it from beginning
};

/// The name of the template that a node runs, be it the workflow's or another object's; it is a part of pods' names.
const std::string& template_of(const NodeStatus& node);

/// Compact JSON with the original's field names, order and omissions.
std::string to_json(const NodeStatus& node);
Result<NodeStatus> parse_node_status(std::string_view json);
Result<NodeStatus> parse_node_status(const doc::Value& value);

doc::Value to_document(const Inputs& inputs);
doc::Value to_document(const Outputs& outputs);
/// As the node agent and the memoization cache write outputs.
Result<Outputs> parse_outputs(const doc::Value& value);

}  // namespace tiphys::api
