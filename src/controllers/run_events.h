// What Kubernetes Events say of one workflow and its nodes. Original: recordNodePhaseEvent and markWorkflowPhase of
// workflow/controller/operator.go.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/controller_config.h"
#include "api/node_status.h"
#include "controllers/event_recorder.h"
#include "engine/run.h"

namespace tiphys::controllers {

class RunEvents {
 public:
  RunEvents(Executor& executor, cluster::Cluster& cluster, const api::ControllerConfig& config, EventSubject workflow);

  /// A node as it is now, and the phase in which it was told of last; kUnset: never.
  void node_changed(const api::NodeStatus& node, api::NodePhase before);
  /// The workflow as it is now, before its nodes. `runs`: it can be run; `timed_out`: its deadline has ended it. Gives
  /// the phase in which it was told of last.
  engine::RunStatus::Phase workflow_changed(const engine::RunStatus& status, bool runs, bool timed_out);
  /// It was in this phase when it was taken up again.
  void went_on(engine::RunStatus::Phase phase) { told_ = phase; }
  /// What has been noted since the last time. Once the pods of new nodes have been asked for: Events may be about them.
  void write();

 private:
  void node_event(const api::NodeStatus& node, api::NodePhase phase);
  void pod_event(const std::string& pod, Occurrence occurrence);

  cluster::Cluster& cluster_;
  const api::ControllerConfig& config_;
  EventSubject workflow_;
  engine::RunStatus::Phase told_ = engine::RunStatus::Phase::kUnset;
  std::vector<Occurrence> of_end_;                           ///< of the workflow, after those of nodes
  std::vector<std::pair<std::string, Occurrence>> of_pods_;  ///< by name of the pod
  /// Shared with what asks for a node's pod.
  std::shared_ptr<EventRecorder> recorder_;
};

}  // namespace tiphys::controllers
