#include "controllers/controller_metrics.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tiphys::controllers {
namespace {

using Kind = engine::EmitMetric::Kind;

/// Bounds of OpenTelemetry, which the original keeps.
const std::vector<double> kRuntimes{0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000};
const std::vector<double> kDelays{0, 0.1, 0.5, 1, 5, 10, 30, 60, 180};
const std::vector<double> kOperations{5, 10, 15, 20, 25, 30};

/// As they are before anything has happened, so that a query finds them.
constexpr std::string_view kPhases[] = {"Pending", "Running"};
constexpr std::pair<log::Level, std::string_view> kLevels[] = {
    {log::Level::kInfo, "info"}, {log::Level::kWarn, "warn"}, {log::Level::kError, "error"}};
constexpr std::string_view kErrors[] = {"CronWorkflowSubmissionError", "CronWorkflowSpecError"};

struct BuiltIn {
  std::string_view name, help, unit;
  Kind kind;
  const std::vector<double>* buckets = nullptr;
};

constexpr BuiltIn kBuiltIns[] = {
    {"cronworkflows_concurrencypolicy_triggered", "Runs of CronWorkflows that their concurrencyPolicy has limited",
     "{cronworkflow}", Kind::kCounter},
    {"cronworkflows_triggered_total", "Runs that CronWorkflows have begun", "{cronworkflow}", Kind::kCounter},
    {"error_count", "Errors of the controllers by their cause", "{error}", Kind::kCounter},
    {"gauge", "Unfinished workflows by their phase", "{workflow}", Kind::kGauge},
    {"is_leader", "1: this controller runs the workflows", "{leader}", Kind::kGauge},
    {"locks_held", "Holders of each lock", "{lock}", Kind::kGauge},
    {"locks_pending", "Those that wait for each lock", "{lock}", Kind::kGauge},
    {"locks_taken_total", "How often each lock was taken", "{lock}", Kind::kCounter},
    {"log_messages", "Lines of the log by their level", "{message}", Kind::kCounter},
    {"operation_duration_seconds", "Seconds of the controller's thread for what has happened to a workflow", "s",
     Kind::kHistogram, &kOperations},
    {"pod_missing", "Pods that are gone and were not removed here", "{pod}", Kind::kCounter},
    {"pod_pending_count", "Pods that have begun to wait for a reason", "{pod}", Kind::kCounter},
    {"pods_gauge", "Pods of unfinished workflows by their phase", "{pod}", Kind::kGauge},
    {"pods_total_count", "Pods that have come into each phase", "{pod}", Kind::kCounter},
    {"resource_rate_limiter_latency", "Seconds for which resourceRateLimit has held up pods", "s", Kind::kHistogram,
     &kDelays},
    {"telemetry_dropped_total", "Spans and data points that have not reached their collector", "{item}",
     Kind::kCounter},
    {"total_count", "Workflows that have come into each phase", "{workflow}", Kind::kCounter},
    {"version", "1: what this program is", "{unused}", Kind::kGauge},
    {"workflow_condition", "Unfinished workflows by a condition", "{workflow}", Kind::kGauge},
    {"workflowtemplate_runtime", "Seconds that workflows of a whole template have run", "s", Kind::kHistogram,
     &kRuntimes},
    {"workflowtemplate_triggered_total", "Workflows of a whole template that have come into each phase",
     "{workflow_template}", Kind::kCounter},
};

engine::EmitMetric metric_of(const BuiltIn& built_in) {
  return {.name = std::string(built_in.name),
          .help = std::string(built_in.help),
          .labels = {},
          .kind = built_in.kind,
          .buckets = built_in.buckets ? *built_in.buckets : std::vector<double>()};
}

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

std::string text_of(bool value) {
  return value ? "true" : "false";
}

/// Original: parseLockKey of workflow/sync/sync_metrics.go.
std::map<std::string, std::string> labels_of(const engine::LockName& lock) {
  return {{"type", lock.semaphore ? "semaphore" : "mutex"},
          {"storage", lock.kind == engine::LockName::Kind::kDatabase ? "database" : "configmap"},
          {"lock_name", lock.key.empty() ? lock.resource : lock.resource + "/" + lock.key},
          {"namespace", lock.ns}};
}

}  // namespace

ControllerMetrics::ControllerMetrics() {
  for (const BuiltIn& built_in : kBuiltIns) registry_.declare(metric_of(built_in), built_in.unit);
  emit("is_leader", {});
  for (const std::string_view cause : kErrors) emit("error_count", {{"cause", std::string(cause)}}, 0);
}

void ControllerMetrics::emit(std::string_view name, Labels labels, double value) {
  const BuiltIn* found = std::ranges::find(kBuiltIns, name, &BuiltIn::name);
  TIPHYS_CHECK(found != std::end(kBuiltIns), std::string(name));
  engine::EmitMetric metric = metric_of(*found);
  metric.labels = std::move(labels);
  metric.value = value;
  if (const Status taken = registry_.emit(metric, ""); !taken && !std::exchange(told_, true)) {
    log::warn("metric {}: {}", name, taken.error().message);
  }
}

void ControllerMetrics::workflow_entered(const std::string& ns, std::string_view phase, const TemplateUse* use) {
  emit("total_count", {{"namespace", ns}, {"phase", std::string(phase)}});
  if (!use) return;
  emit("workflowtemplate_triggered_total", {{"name", use->name},
                                            {"namespace", ns},
                                            {"cluster_scope", text_of(use->cluster_scope)},
                                            {"phase", std::string(phase)}});
}

void ControllerMetrics::workflow_ran(const std::string& ns, const TemplateUse& use, Duration time) {
  emit("workflowtemplate_runtime",
       {{"name", use.name}, {"namespace", ns}, {"cluster_scope", text_of(use.cluster_scope)}}, seconds(time));
}

void ControllerMetrics::pod_entered(const std::string& ns, std::string_view phase) {
  emit("pods_total_count", {{"namespace", ns}, {"phase", std::string(phase)}});
}

void ControllerMetrics::pod_waits(const std::string& ns, std::string_view message) {
  const std::string_view reason = message.substr(0, message.find(':'));
  // What every pod waits for; the original leaves it out too.
  if (reason.empty() || reason == "PodInitializing") return;
  emit("pod_pending_count", {{"namespace", ns}, {"reason", std::string(reason)}});
}

void ControllerMetrics::pod_missing(std::string_view node_phase, bool recently_started) {
  emit("pod_missing", {{"node_phase", std::string(node_phase)}, {"recently_started", text_of(recently_started)}});
}

void ControllerMetrics::version(const doc::Value& message) {
  constexpr std::pair<std::string_view, std::string_view> kFields[] = {
      {"version", "version"},   {"platform", "platform"},          {"goVersion", "go_version"},
      {"compiler", "compiler"}, {"buildDate", "build_date"},       {"gitCommit", "git_commit"},
      {"gitTag", "git_tag"},    {"gitTreeState", "git_tree_state"}};
  Labels labels;
  for (const auto& [field, label] : kFields) labels.emplace(label, doc::find_string(message, field));
  emit("version", std::move(labels));
}

void ControllerMetrics::cron_triggered(const std::string& ns, const std::string& name) {
  emit("cronworkflows_triggered_total", {{"name", name}, {"namespace", ns}});
}

void ControllerMetrics::cron_limited(const std::string& ns, const std::string& name, std::string_view policy) {
  emit("cronworkflows_concurrencypolicy_triggered",
       {{"name", name}, {"namespace", ns}, {"concurrency_policy", std::string(policy)}});
}

void ControllerMetrics::error(std::string_view cause) {
  emit("error_count", {{"cause", std::string(cause)}});
}

void ControllerMetrics::lock_taken(const engine::LockName& lock) {
  emit("locks_taken_total", labels_of(lock));
}

void ControllerMetrics::pod_delayed(Duration time) {
  emit("resource_rate_limiter_latency", {}, seconds(time));
}

void ControllerMetrics::operated(Duration time) {
  emit("operation_duration_seconds", {}, seconds(time));
}

void ControllerMetrics::telemetry_dropped(std::string_view signal, std::size_t items) {
  emit("telemetry_dropped_total", {{"signal", std::string(signal)}}, static_cast<double>(items));
}

std::string ControllerMetrics::text(Time now, const UnderWay& under_way) {
  look_at(under_way);
  return registry_.text(now);
}

std::vector<telemetry::Metric> ControllerMetrics::collect(Time now, const UnderWay& under_way) {
  look_at(under_way);
  return registry_.collect(now);
}

void ControllerMetrics::look_at(const UnderWay& under_way) {
  const auto gauge = [&](std::string_view name, Labels labels, std::size_t value) {
    emit(name, std::move(labels), static_cast<double>(value));
  };
  for (const std::string_view phase : kPhases) {
    const auto found = under_way.workflows.find(phase);
    gauge("gauge", {{"phase", std::string(phase)}}, found == under_way.workflows.end() ? 0 : found->second);
  }
  gauge("workflow_condition", {{"type", "PodRunning"}, {"status", "True"}}, under_way.with_running_pods);
  gauge("workflow_condition", {{"type", "PodRunning"}, {"status", "False"}}, under_way.without);
  gauge("pods_gauge", {{"phase", "Pending"}}, under_way.pending_pods);
  gauge("pods_gauge", {{"phase", "Running"}}, under_way.running_pods);
  for (const char* name : {"locks_held", "locks_pending"}) registry_.clear(name);
  for (const auto& [lock, held, awaited] : under_way.locks) {
    gauge("locks_held", labels_of(lock), held);
    gauge("locks_pending", labels_of(lock), awaited);
  }
  for (const auto& [level, name] : kLevels) {
    std::uint64_t& told = told_lines_[level];
    const std::uint64_t lines = log::lines(level);
    emit("log_messages", {{"level", std::string(name)}}, static_cast<double>(lines - std::exchange(told, lines)));
  }
}

}  // namespace tiphys::controllers
