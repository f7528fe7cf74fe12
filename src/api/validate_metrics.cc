// Metrics: the original's rules, and for lint what it tells only as the metric is emitted.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "api/fields.h"
#include "api/validator.h"
#include "base/strings.h"
#include "expr/condition.h"
#include "expr/go_text.h"

namespace tiphys::api {
namespace {

/// Around tags that are filled in before the original looks at it; the rest is judged as the metric is emitted. Of
/// those of a workflow's own metrics it looks at none.
bool may_be_name(const std::string& name, bool of_workflow) {
  bool known = true;
  for_each_tag(name, [&](std::string_view tag) {
    known = known && (of_workflow || tag.starts_with("inputs.") || tag.starts_with("workflow.parameters."));
  });
  return is_metric_name(known ? replace_tags(name, "x") : name);
}

/// What a metric knows beside the variables of its template or workflow.
bool metric_variable(std::string_view name) {
  for (const char* known : {"duration", "status", "exitCode", "retries", "node.name"}) {
    if (name == known) return true;
  }
  return name.starts_with("outputs.") || name.starts_with("resourcesDuration.");
}

std::string_view only_tag(std::string_view text) {
  if (!text.starts_with("{{") || !text.ends_with("}}")) return "";
  return trim(text.substr(2, text.size() - 4));
}

}  // namespace

void Validator::lint_error(const std::string& pointer, std::string message) {
  if (validation_.lint && scope_.empty() && !workflow_.joined) error(pointer, std::move(message));
}

void Validator::check_metrics(const std::vector<Metric>& metrics, const Spot& spot, bool of_workflow,
                              const Variables& scope) {
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const Metric& metric = metrics[i];
    const std::string pointer = fmt::format("{}/metrics/prometheus/{}", spot.pointer, i);
    if (!may_be_name(metric.name, of_workflow)) {
      error(metric.name.empty() ? pointer : pointer + "/name",
            fmt::format("{} metric name '{}' is invalid. Metric names must contain alphanumeric characters or '_'",
                        spot.name, metric.name));
    }
    const Spot at{pointer, fmt::format("{} metric '{}'", spot.name, metric.name)};
    check_metric(metric, at, of_workflow);
    lint_same_metric(metric, at);
    if (validation_.lint) lint_metric(metric, at, of_workflow, scope);
  }
}

/// Metrics of one name are one: of one type, with one help.
void Validator::lint_same_metric(const Metric& metric, const Spot& spot) {
  if (metric.name.empty() || has_tag(metric.name)) return;
  const auto [other, fresh] = metrics_.emplace(metric.name, &metric);
  if (fresh) return;
  const Metric& first = *other->second;
  if (first.help != metric.help) {
    lint_error(spot.pointer + "/help",
               fmt::format("{}: its help is \"{}\" elsewhere: write the same everywhere", spot.name, first.help));
  }
  const auto kind = [](const Metric& one) { return one.gauge ? "gauge" : one.histogram ? "histogram" : "counter"; };
  if (kind(first) != std::string_view(kind(metric))) {
    lint_error(spot.pointer, fmt::format("{} is a {} here and a {} elsewhere", spot.name, kind(metric), kind(first)));
  }
}

void Validator::check_metric(const Metric& metric, const Spot& spot, bool of_workflow) {
  if (metric.help.empty()) {
    error(spot.pointer, fmt::format("{} must contain a help string under 'help: ' field", spot.name));
  }
  for (std::size_t i = 0; i < metric.labels.size(); ++i) {
    const std::string& key = metric.labels[i].key;
    if (may_be_name(key, of_workflow)) continue;
    error(fmt::format("{}/labels/{}{}", spot.pointer, i, key.empty() ? "" : "/key"),
          fmt::format("{}: metric label '{}' is invalid: keys may only contain alphanumeric characters or '_'",
                      spot.name, key));
  }
  if (metric.gauge) check_gauge(*metric.gauge, spot);
  if (metric.counter && metric.counter->value.empty()) {
    error(spot.pointer + "/counter", spot.name + " error: missing counter.value", true);
  }
  if (metric.histogram && metric.histogram->value.empty()) {
    error(spot.pointer + "/histogram", spot.name + " error: missing histogram.value", true);
  }
}

void Validator::check_gauge(const Metric::Gauge& gauge, const Spot& spot) {
  if (gauge.value.empty()) error(spot.pointer + "/gauge", spot.name + " error: missing gauge.value", true);
  if (gauge.realtime && gauge.value.find("resourcesDuration.") != std::string::npos) {
    error(spot.pointer + "/gauge/value",
          spot.name + " error: 'resourcesDuration.*' metrics cannot be used in real-time");
  }
  const std::string& operation = gauge.operation;
  if (!operation.empty() && std::ranges::find(kGaugeOperations, operation) == std::end(kGaugeOperations)) {
    error(spot.pointer + "/gauge/operation",
          fmt::format("{}: gauge.operation must be one of: Set, Add, Sub, not \"{}\"", spot.name, operation));
  }
}

void Validator::lint_metric(const Metric& metric, const Spot& spot, bool of_workflow, const Variables& scope) {
  const int types = metric.gauge.has_value() + metric.histogram.has_value() + metric.counter.has_value();
  if (types != 1) {
    lint_error(spot.pointer, fmt::format("{} {}. choose one of: gauge, histogram, counter", spot.name,
                                         types == 0 ? "type unspecified" : "has multiple types specified"));
    return;
  }
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < metric.labels.size(); ++i) {
    const Metric::Label& label = metric.labels[i];
    const std::string pointer = fmt::format("{}/labels/{}", spot.pointer, i);
    if (!seen.insert(label.key).second) {
      lint_error(pointer + "/key", fmt::format("{}: label '{}' is given twice", spot.name, label.key));
    } else if (label.key.starts_with("__") || (metric.histogram && label.key == "le")) {
      lint_error(pointer + "/key", fmt::format("{}: label '{}' is Prometheus' own", spot.name, label.key));
    }
    if (label.value.empty()) {
      lint_error(pointer, fmt::format("{}: label '{}' needs a value", spot.name, label.key));
    }
    lint_metric_text(label.key, {pointer + "/key", spot.name}, scope);
    lint_metric_text(label.value, {pointer + "/value", spot.name}, scope);
  }
  lint_metric_text(metric.name, spot.at("/name"), scope);
  lint_metric_text(metric.help, spot.at("/help"), scope);
  lint_metric_text(metric.when, spot.at("/when"), scope);
  if (const auto verdict = expr::eval_when(metric.when); !metric.when.empty() && !has_tag(metric.when) && !verdict) {
    lint_error(spot.pointer + "/when", fmt::format("{}: {}", spot.name, verdict.error().message));
  }
  const Spot value = spot.at(metric.gauge ? "/gauge/value" : metric.histogram ? "/histogram/value" : "/counter/value");
  if (metric.realtime()) {
    const std::string_view variable = only_tag(metric.gauge->value);
    if (variable == "workflow.duration" || (variable == "duration" && !of_workflow)) return;
    lint_error(value.pointer, fmt::format("{}: a realtime gauge's value must be {}, not \"{}\"", spot.name,
                                          of_workflow ? "{{workflow.duration}}" : "{{duration}}", metric.gauge->value));
    return;
  }
  lint_metric_value(*metric.value(), value);
  lint_metric_text(*metric.value(), value, scope);
  if (!metric.histogram) return;
  const std::vector<double>& buckets = metric.histogram->buckets;
  if (buckets.empty())
    lint_error(spot.pointer + "/histogram", spot.name + ": a histogram needs buckets, such as [1, 10, 60]");
  if (std::ranges::adjacent_find(buckets, std::greater_equal<>()) != buckets.end()) {
    lint_error(spot.pointer + "/histogram/buckets", spot.name + ": the buckets must ascend");
  }
}

void Validator::lint_metric_value(const std::string& value, const Spot& spot) {
  if (value.empty() || has_tag(value) || expr::parse_go_float(value)) return;
  lint_error(spot.pointer, fmt::format("{}: the value must be a number, not \"{}\"", spot.name, value));
}

/// Tags of which a run would not know what they stand for: the metric would not be emitted.
void Validator::lint_metric_text(const std::string& text, const Spot& spot, const Variables& scope) {
  for_each_tag(text, [&](std::string_view name) {
    if (metric_variable(name) || scope.knows(name)) return;
    lint_error(spot.pointer, fmt::format("{}: {{{{{}}}}} is not known to metrics", spot.name, name));
  });
}

}  // namespace tiphys::api
