// The trace of one workflow: a span of it, of each node, and of the phases that they go through. Names and attributes
// are the original's (workflow/tracing); a node's parent is its boundary, where there all nodes are below the workflow.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/node_status.h"
#include "engine/run.h"
#include "telemetry/span.h"

namespace tiphys::controllers {

/// Ids follow from the workflow's uid, the second in which it began and the node's id: a plane that takes it over goes
/// on with the same trace, and a user's retry makes spans of its own. Spans that began before a restart are whole,
/// those of phases missing.
class RunTrace {
 public:
  /// `sink` null: nothing is traced, at no cost.
  RunTrace(telemetry::SpanSink* sink, std::string ns, std::string name, std::string_view uid);

  /// The workflow as it is now, and the phase in which it was told of last.
  void workflow_changed(const engine::RunStatus& status, engine::RunStatus::Phase before, Time now);
  /// The same of a node. `began` is when its workflow did.
  void node_changed(const api::NodeStatus& node, api::NodePhase before, Time began, Time now);

  /// Where the processes of a node's pod go on with the trace: the environment's TRACEPARENT. "": nowhere.
  std::string traceparent(std::string_view node_id, Time began) const;

 private:
  struct Phase {
    std::string name, message;
    Time since{};
  };
  telemetry::SpanId id_of(std::string_view node_id, Time began, std::string_view part = "") const;
  void end_phase(const Phase& phase, const api::NodeStatus& node, Time began, Time now) const;
  void end_node(const api::NodeStatus& node, Time began, Time now) const;
  void end_workflow_phase(std::string_view phase, Time began, Time now) const;
  void end_workflow(const engine::RunStatus& status, Time now) const;

  telemetry::SpanSink* sink_;
  std::string ns_, name_, uid_;
  telemetry::TraceId trace_;
  std::optional<Time> phase_since_;     ///< of the workflow's; absent: it began before this plane
  std::map<std::string, Phase> nodes_;  ///< that have not ended, by id
};

}  // namespace tiphys::controllers
