#include "controllers/run_events.h"

#include <fmt/format.h>

#include <utility>

#include "controllers/names.h"

namespace tiphys::controllers {

using api::NodePhase;
using Phase = engine::RunStatus::Phase;

namespace {

bool completed(NodePhase phase) {
  return phase == NodePhase::kSucceeded || api::failed_or_error(phase);
}

}  // namespace

RunEvents::RunEvents(Executor& executor, cluster::Cluster& cluster, const api::ControllerConfig& config,
                     EventSubject workflow)
    : cluster_(cluster),
      config_(config),
      workflow_(std::move(workflow)),
      recorder_(std::make_shared<EventRecorder>(executor, cluster)) {}

void RunEvents::node_changed(const api::NodeStatus& node, NodePhase before) {
  if (!config_.node_events.enabled || node.phase == before) return;
  const bool fresh = before == NodePhase::kUnset;
  if (fresh && node.phase != NodePhase::kRunning && !completed(node.phase)) return;
  if ((fresh || before == NodePhase::kPending) && completed(node.phase)) node_event(node, NodePhase::kRunning);
  node_event(node, node.phase);
}

void RunEvents::node_event(const api::NodeStatus& node, NodePhase phase) {
  const std::string_view name = api::node_phase_name(phase);
  Occurrence occurrence{
      .warning = phase != NodePhase::kRunning && phase != NodePhase::kSucceeded,
      .reason = fmt::format("WorkflowNode{}", name),
      .message = fmt::format("{} node {}{}{}", name, node.name, node.message.empty() ? "" : ": ", node.message),
      .annotations = {{kNodeTypeAnnotation, std::string(api::node_type_name(node.type))},
                      {kNodeNameAnnotation, node.name},
                      {kNodeIdAnnotation, node.id},
                      {kNodeStartTimeAnnotation, std::to_string(node.started_at.time_since_epoch().count())}}};
  if (config_.node_events.send_as_pod && node.type == api::NodeType::kPod) {
    of_pods_.emplace_back(engine::pod_name(workflow_.name, node.name, api::template_of(node), node.id),
                          std::move(occurrence));
  } else {
    recorder_->record(workflow_, std::move(occurrence));
  }
}

/// About the node's pod, or about the workflow where there is none.
void RunEvents::pod_event(const std::string& pod, Occurrence occurrence) {
  const cluster::Key key{&cluster::kPods, workflow_.ns, pod};
  cluster_.get(key, [recorder = recorder_, workflow = workflow_, pod,
                     occurrence = std::move(occurrence)](const Result<cluster::Object>& found) mutable {
    EventSubject subject = workflow;
    if (found) {
      subject = {&cluster::kPods, workflow.ns, pod, std::string(doc::find_string(**found, "metadata", "uid"))};
      occurrence.annotations.emplace_back(kWorkflowNameAnnotation, workflow.name);
      occurrence.annotations.emplace_back(kWorkflowUidAnnotation, workflow.uid);
    }
    recorder->record(subject, std::move(occurrence));
    recorder->write();
  });
}

Phase RunEvents::workflow_changed(const engine::RunStatus& status, bool runs, bool timed_out) {
  const Phase before = std::exchange(told_, status.phase);
  if (status.phase == before) return before;
  if (timed_out) {
    of_end_.push_back({.warning = true,
                       .reason = "WorkflowTimedOut",
                       .message = "error in entry template execution: Deadline exceeded"});
  }
  if (!config_.workflow_events.enabled || status.phase == Phase::kPending || status.phase == Phase::kUnset)
    return before;
  // One that has ended at once has run, too.
  if (runs && before != Phase::kRunning) {
    recorder_->record(workflow_, {.reason = "WorkflowRunning", .message = "Workflow Running"});
  }
  if (status.phase == Phase::kSucceeded) {
    of_end_.push_back({.reason = "WorkflowSucceeded", .message = "Workflow completed"});
  } else if (status.finished()) {
    of_end_.push_back({.warning = true, .reason = "WorkflowFailed", .message = status.message});
  }
  return before;
}

void RunEvents::write() {
  for (Occurrence& occurrence : std::exchange(of_end_, {})) recorder_->record(workflow_, std::move(occurrence));
  recorder_->write();
  for (auto& [pod, occurrence] : std::exchange(of_pods_, {})) pod_event(pod, std::move(occurrence));
}

}  // namespace tiphys::controllers
