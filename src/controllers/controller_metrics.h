// What the controllers tell of themselves to Prometheus and OpenTelemetry, under the original's names, beside the
// metrics of workflows. Original: docs/metrics.md.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "controllers/locks.h"
#include "controllers/metrics_registry.h"
#include "doc/value.h"
#include "engine/run.h"

namespace tiphys::controllers {

/// The WorkflowTemplate or ClusterWorkflowTemplate that a workflow refers to as a whole.
struct TemplateUse {
  std::string name;
  bool cluster_scope = false;
};

/// How much is under way at a moment.
struct UnderWay {
  std::map<std::string_view, std::size_t> workflows{};  ///< by phase
  std::size_t with_running_pods = 0, without = 0;       ///< workflows
  std::size_t pending_pods = 0, running_pods = 0;
  std::vector<LockUse> locks{};
};

class ControllerMetrics {
 public:
  ControllerMetrics();

  /// Those of workflows, on the same page.
  MetricsRegistry& of_workflows() { return registry_; }

  /// A workflow has come into this phase, "New" included; `use` is null for one with templates of its own.
  void workflow_entered(const std::string& ns, std::string_view phase, const TemplateUse* use);
  /// From the beginning to the end of its run.
  void workflow_ran(const std::string& ns, const TemplateUse& use, Duration time);
  void pod_entered(const std::string& ns, std::string_view phase);
  /// A pod waits for something else than before: "Unschedulable: no room".
  void pod_waits(const std::string& ns, std::string_view message);
  /// A pod has gone that nobody here has removed.
  void pod_missing(std::string_view node_phase, bool recently_started);
  /// A run that is due begins.
  void cron_triggered(const std::string& ns, const std::string& name);
  /// Its concurrencyPolicy has kept it from running, or has ended another run.
  void cron_limited(const std::string& ns, const std::string& name, std::string_view policy);
  /// What this program is: Argo's message Version.
  void version(const doc::Value& message);
  /// CronWorkflowSubmissionError, CronWorkflowSpecError.
  void error(std::string_view cause);
  /// Somebody has got the lock.
  void lock_taken(const engine::LockName& lock);
  /// A pod was created so long after it was asked for, because of how many there may be a second.
  void pod_delayed(Duration time);
  /// What has happened to a workflow was dealt with, in this time of the controller's thread.
  void operated(Duration time);
  /// Spans or data points ("traces", "metrics") have not reached their collector.
  void telemetry_dropped(std::string_view signal, std::size_t items);

  /// Prometheus' text format 0.0.4.
  std::string text(Time now, const UnderWay& under_way);
  /// The same for OpenTelemetry.
  std::vector<telemetry::Metric> collect(Time now, const UnderWay& under_way);

 private:
  using Labels = std::map<std::string, std::string>;
  void look_at(const UnderWay& under_way);
  void emit(std::string_view name, Labels labels, double value = 1);

  MetricsRegistry registry_;
  bool told_ = false;  ///< that there is no room for more
  std::map<log::Level, std::uint64_t> told_lines_;
};

}  // namespace tiphys::controllers
