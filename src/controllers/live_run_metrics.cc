// What a run adds to the metrics of its controller, and those that its workflow emits.
#include <fmt/format.h>

#include "base/log.h"
#include "controllers/live_run.h"

namespace tiphys::controllers {

using Phase = engine::RunStatus::Phase;
using PodPhase = engine::PodChanged::Phase;

namespace {

/// RECENTLY_STARTED_POD_DURATION of the original.
constexpr Duration kRecently = std::chrono::seconds(10);

std::optional<TemplateUse> template_of(const engine::Run* run) {
  const auto* ref =
      run && run->workflow().spec.workflow_template_ref ? &*run->workflow().spec.workflow_template_ref : nullptr;
  if (!ref) return std::nullopt;
  return TemplateUse{ref->name, ref->cluster_scope};
}

}  // namespace

void LiveRun::emit(const engine::EmitMetric& metric) {
  if (const Status taken = environment_.metrics.of_workflows().emit(metric, uid_); !taken) {
    run_->metric_refused(fmt::format("could not construct metric '{}': {}", metric.name, taken.error().message));
  }
}

/// What is said of metrics once events are applied.
void LiveRun::conclude_metrics() {
  const engine::RunStatus& status = run_->status();
  if (status.finished()) environment_.metrics.of_workflows().complete(uid_, status.finished_at);
  if (status.metrics_error == told_metrics_error_) return;
  told_metrics_error_ = status.metrics_error;
  log::warn("metrics of workflow {}/{}: {}", key_.ns, key_.name, status.metrics_error);
}

void LiveRun::count_workflow(const engine::RunStatus& status, Phase before) {
  if (before == status.phase) return;
  const std::optional<TemplateUse> use = template_of(run_.get());
  const auto entered = [&](std::string_view phase) {
    environment_.metrics.workflow_entered(key_.ns, phase, use ? &*use : nullptr);
  };
  if (before == Phase::kUnset) entered("New");
  // One that has ended at once has run, too.
  if (run_ && status.finished() && before != Phase::kRunning) entered(phase_name(Phase::kRunning));
  entered(phase_name(status.phase));
  if (use && status.finished())
    environment_.metrics.workflow_ran(key_.ns, *use, status.finished_at - status.started_at);
}

void LiveRun::count_pod(const engine::PodChanged& change, bool is_new, bool ran) {
  const auto entered = [&](std::string_view phase) { environment_.metrics.pod_entered(key_.ns, phase); };
  switch (change.phase) {
    case PodPhase::kPending:
      if (is_new) entered("Pending");
      if (!change.message.empty()) count_waiting(change);
      return;
    case PodPhase::kRunning:
      if (!ran) entered("Running");
      return;
    case PodPhase::kSucceeded:
      return entered("Succeeded");
    case PodPhase::kFailed:
    case PodPhase::kError:
      return entered("Failed");
    case PodPhase::kGone: {
      const auto node = run_->find_node(change.node_id);
      const bool recently = node && environment_.executor.now() - node->started_at < kRecently;
      environment_.metrics.pod_missing(ran ? "Running" : "Pending", recently);
      return;
    }
  }
}

void LiveRun::count_waiting(const engine::PodChanged& change) {
  const auto node = run_->find_node(change.node_id);
  if (node && node->phase == api::NodePhase::kPending && node->message != change.message) {
    environment_.metrics.pod_waits(key_.ns, change.message);
  }
}

void LiveRun::count(UnderWay& under_way) const {
  const Phase phase = run_ ? run_->status().phase : Phase::kPending;
  ++under_way.workflows[phase_name(phase == Phase::kUnset ? Phase::kPending : phase)];
  ++(running_pods_ > 0 ? under_way.with_running_pods : under_way.without);
  under_way.running_pods += running_pods_;
  under_way.pending_pods += pods_.size() - running_pods_;
}

}  // namespace tiphys::controllers
