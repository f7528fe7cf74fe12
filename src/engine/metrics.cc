// Metrics of the workflow and of its nodes. They are evaluated where the original does so (operator.go,
// computeMetrics): those that run on as what they tell of begins, all as it ends, and those of an attempt as the next
// one begins.
#include <fmt/format.h>

#include <algorithm>

#include "engine/machine.h"
#include "engine/variables.h"
#include "expr/condition.h"
#include "expr/go_text.h"

namespace tiphys::engine {

namespace {

std::unexpected<Error> could_not_construct(const std::string& metric, const std::string& why) {
  return fail(Code::kInvalidArgument, fmt::format("could not construct metric '{}': {}", metric, why));
}

/// `what`: "metric name is invalid: names". Tags have made it so; others are refused before.
std::unexpected<Error> wrong_name(const std::string& what, const std::string& metric) {
  return could_not_construct(metric, what + " may only contain alphanumeric characters or '_'");
}

}  // namespace

/// What a metric may name: how the node is now, beside the variables of its template.
class MetricVariables final : public Variables {
 public:
  /// kNoNode: of a workflow that has no node yet.
  MetricVariables(const Machine& machine, NodeIndex index) : machine_(machine), index_(index) {}

  void provide(std::string_view name, expr::Scope& scope) const override {
    const auto set = [&](std::string text) { scope.set(std::string(name), std::move(text)); };
    if (name.starts_with(kResources)) return set(resource(name.substr(kResources.size())));
    if (index_ == kNoNode) {
      if (name == "duration") set("0");
      if (name == "status") set("Pending");
      return;
    }
    const Node& node = machine_.nodes_[index_];
    if (name == "duration") {
      const std::chrono::duration<double> elapsed =
          (node.fulfilled() ? node.finished_at : machine_.now_) - node.started_at;
      return set(fmt::format("{:.6f}", elapsed.count()));
    }
    if (name == "status") return set(std::string(api::node_phase_name(node.phase)));
    if (name == "exitCode" && node.exit_code != Node::kNoExitCode) return set(std::to_string(node.exit_code));
    if (name == "retries" && node.owner != Owner::kAttempt) return provide_retries(node, scope);
    if (name.starts_with("lastRetry") && node.type == api::NodeType::kRetry && !machine_.attempts(node).empty()) {
      return BodyVariables(machine_, machine_.attempts(node).back()).provide(name, scope);
    }
    provide_output(node, name, scope);
    if (!scope.text(name)) BodyVariables(machine_, index_).provide(name, scope);
  }

 private:
  static constexpr std::string_view kResources = "resourcesDuration.";

  std::string resource(std::string_view name) const {
    const api::ResourcesDuration all = machine_.resources_of(index_);
    const auto found = all.find(std::string(name));
    return std::to_string(found == all.end() ? 0 : found->second);
  }

  /// Of a node that is not tried again, as in the original, what its children are more than one.
  void provide_retries(const Node& node, expr::Scope& scope) const {
    const std::size_t count =
        node.type == api::NodeType::kRetry ? machine_.attempts(node).size() : node.children.size();
    if (count > 0) scope.set("retries", std::to_string(count - 1));
  }

  static void provide_output(const Node& node, std::string_view name, expr::Scope& scope) {
    if (!node.outputs) return;
    if (const std::string* result = node.outputs->result(); result && name == "outputs.result") {
      scope.set("outputs.result", *result);
    }
    node.outputs->for_each_value([&](const std::string& parameter, const std::string& value) {
      const std::string own = "outputs.parameters." + parameter;
      if (name == own || name == "outputs" || name == "outputs.parameters") scope.set(own, value);
    });
    // One without a value is empty, not unknown.
    constexpr std::string_view kParameters = "outputs.parameters.";
    if (!name.starts_with(kParameters) || scope.text(name)) return;
    const auto parameters = node.outputs->whole().parameters;
    const auto found = std::ranges::find(parameters, name.substr(kParameters.size()), &api::Parameter::name);
    if (found != parameters.end()) scope.set(std::string(name), "");
  }

  const Machine& machine_;
  NodeIndex index_;
};

/// Nothing of what did not run: the skipped and the memoized. An attempt's are emitted elsewhere.
bool Machine::has_end_metrics(const Node& node) {
  if (!node.plan || node.plan->metrics.empty() || node.owner == Owner::kAttempt) return false;
  if (node.type == api::NodeType::kSkipped || node.type == api::NodeType::kContainer) return false;
  return !(node.extra && node.extra->memoization && node.extra->memoization->hit);
}

void Machine::emit_realtime(NodeIndex index) {
  const Node& node = nodes_[index];
  if (node.fulfilled() || !has_end_metrics(node)) return;
  for (const MetricPlan& plan : node.plan->metrics) {
    if (plan.source->realtime()) emit_metric(plan, index);
  }
}

void Machine::emit_node_metrics(NodeIndex index) {
  for (const MetricPlan& plan : nodes_[index].plan->metrics) emit_metric(plan, index);
}

void Machine::emit_workflow_metrics(bool begins) {
  if (plans_.metrics().empty()) return;
  const NodeIndex index = begins ? kNoNode : entry_;
  // As the original: a failed exit handler fails the workflow, but its metrics tell how it went before.
  if (index != kNoNode) {
    globals_.set("workflow.status", std::string(phase_name(run_phase(nodes_[index].phase))));
  }
  for (const MetricPlan& plan : plans_.metrics()) {
    if (!begins || plan.source->realtime()) emit_metric(plan, index);
  }
}

void Machine::emit_metric(const MetricPlan& plan, NodeIndex index) {
  auto metric = evaluate_metric(plan, index);
  if (!metric) return metric_failed(metric.error().message);
  if (*metric) effects_->push_back(std::move(**metric));
}

/// Nothing when its `when` is false.
Result<std::optional<EmitMetric>> Machine::evaluate_metric(const MetricPlan& plan, NodeIndex index) {
  const api::Metric& source = *plan.source;
  const MetricVariables variables(*this, index);
  const auto read = [&](const Text& text) -> Result<std::string> {
    auto rendered = render(text, globals(), variables, Leftover::kFailAll);
    if (rendered) return rendered;
    return std::unexpected(
        rendered.error().in(fmt::format("unable to substitute parameters for metric '{}'", source.name)));
  };
  TIPHYS_TRY(const std::string when, read(plan.when));
  if (!when.empty()) {
    const auto holds = expr::eval_when(when);
    if (!holds) {
      return std::unexpected(
          holds.error().in(fmt::format("unable to compute 'when' clause for metric '{}'", source.name)));
    }
    if (!*holds) return std::nullopt;
  }
  EmitMetric metric;
  TIPHYS_TRY(metric.name, read(plan.name));
  if (!api::is_metric_name(metric.name)) return wrong_name("metric name is invalid: names", metric.name);
  TIPHYS_TRY(metric.help, read(plan.help));
  for (const MetricPlan::Label& label : plan.labels) {
    TIPHYS_TRY(const std::string key, read(label.key));
    if (!api::is_metric_name(key)) {
      return wrong_name(fmt::format("metric label '{}' is invalid: keys", key), metric.name);
    }
    TIPHYS_TRY(metric.labels[key], read(label.value));
  }
  if (source.realtime()) {
    TIPHYS_CHECK_OK(put_time(plan, index, metric));
  } else {
    TIPHYS_TRY(const std::string value, read(plan.value));
    TIPHYS_CHECK_OK(put_value(source, value, metric));
  }
  return metric;
}

Status Machine::put_value(const api::Metric& source, const std::string& text, EmitMetric& metric) {
  const auto number = expr::parse_go_float(text);
  if (source.gauge) {
    metric.kind = EmitMetric::Kind::kGauge;
    const std::string& operation = source.gauge->operation;
    if (operation == "Add") metric.operation = EmitMetric::Operation::kAdd;
    if (operation == "Sub") metric.operation = EmitMetric::Operation::kSub;
  } else if (source.histogram) {
    metric.kind = EmitMetric::Kind::kHistogram;
    metric.buckets = source.histogram->buckets;
  } else if (!source.counter) {
    return could_not_construct(metric.name, "invalid metric spec");
  }
  if (!number) {
    return could_not_construct(metric.name,
                               fmt::format("strconv.ParseFloat: parsing {}: invalid syntax", expr::go_quote(text)));
  }
  metric.value = *number;
  return {};
}

/// Of a realtime gauge: from when to when it counts seconds.
Status Machine::put_time(const MetricPlan& plan, NodeIndex index, EmitMetric& metric) const {
  const std::string_view variable = plan.value.sole_tag();
  if (variable.empty()) {
    return fail(Code::kInvalidArgument, "real time metrics can only be used with metric variables");
  }
  metric.kind = EmitMetric::Kind::kRealtime;
  if (variable == "workflow.duration") {
    metric.since = status_.started_at;
    metric.until = status_.finished_at;
  } else if (variable == "duration" && index != kNoNode) {
    const Node& node = nodes_[index];
    metric.since = node.started_at;
    if (node.fulfilled()) metric.until = node.finished_at;
  } else {
    return fail(Code::kInvalidArgument, fmt::format("'{}' is not available as a real time metric", variable));
  }
  return {};
}

/// Of the workflow all that its pods took.
api::ResourcesDuration Machine::resources_of(NodeIndex index) const {
  if (status_.finished()) return status_.resources_duration;
  const bool known = index != kNoNode && nodes_[index].extra;
  return known ? nodes_[index].extra->resources_duration : api::ResourcesDuration();
}

/// As the original, which joins what it has to say; each is said once.
void Machine::metric_failed(std::string_view error) {
  constexpr std::size_t kLongest = 4096;
  std::string& said = status_.metrics_error;
  if (said.size() > kLongest || said.find(error) != std::string::npos) return;
  if (!said.empty()) said += ", ";
  said += error;
  status_changed_ = true;
}

}  // namespace tiphys::engine
