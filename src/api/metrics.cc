// `metrics` of workflows and templates.
#include <algorithm>

#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr const char* kEmitted = "Metrics.AreEmittedWhenNodesEnd";

constexpr Field<Metric::Label> kLabelFields[] = {
    field<&Metric::Label::key>("key", "Its name: letters, digits and underscores, which tags may give.", kEmitted),
    field<&Metric::Label::value>("value", "Its value: \"{{status}}\".", kEmitted),
};
constexpr FieldTable kLabelTable("MetricLabel", kLabelFields);

constexpr Field<Metric::Gauge> kGaugeFields[] = {
    field<&Metric::Gauge::value>("value", "A number: \"{{outputs.parameters.accuracy}}\".", kEmitted),
    field<&Metric::Gauge::realtime>(
        "realtime", "The value is {{duration}}, or {{workflow.duration}} of a workflow, and runs on until that ends.",
        "Metrics.RunOnInRealtime"),
    field<&Metric::Gauge::operation>("operation",
                                     "What the value does with that of before; it takes its place without a word.",
                                     "MetricsRegistry.GaugesAreSetAndCountUpAndDown", &kChoice<kGaugeOperations>),
};
constexpr FieldTable kGaugeTable("Gauge", kGaugeFields);

constexpr Field<Metric::Histogram> kHistogramFields[] = {
    field<&Metric::Histogram::value>("value", "A number, counted in its bucket.", kEmitted),
    field<&Metric::Histogram::buckets>("buckets", "The buckets' upper bounds, in order.",
                                       "MetricsRegistry.HistogramsCountInBuckets"),
};
constexpr FieldTable kHistogramTable("Histogram", kHistogramFields);

constexpr Field<Metric::Counter> kCounterFields[] = {
    field<&Metric::Counter::value>("value", "A number that is added: \"1\".", kEmitted),
};
constexpr FieldTable kCounterTable("Counter", kCounterFields);

void read(const Place& place, Metric::Label& out) {
  read_object<Metric::Label>(place, out, kLabelFields);
}

constexpr Field<Metric> kMetricFields[] = {
    field<&Metric::name>(
        "name", "Letters, digits and underscores, which tags may give; Prometheus sees it as argo_workflows_NAME.",
        "test_metrics_are_scraped"),
    {"labels", Handling::kRead,
     [](const Place& place, Metric& out) {
       if (!expect_array(place)) return;
       const doc::Array& labels = place.value().get_array();
       for (std::size_t i = 0; i < labels.size(); ++i) read(place.element(i, labels[i]), out.labels.emplace_back());
     },
     "What tells its series apart; few values each.", &kObject<kLabelTable, Shape::Around::kList>, kEmitted},
    field<&Metric::help>("help", "What it means. The same wherever the name is used.",
                         "MetricsRegistry.RefusesWhatDoesNotFit"),
    field<&Metric::when>("when", "It is emitted when this is true: \"{{status}} == Succeeded\".", kEmitted),
    {"gauge", Handling::kRead,
     [](const Place& place, Metric& out) {
       // Clang finds it not to be default constructible within the class around it.
       read_object<Metric::Gauge>(place, out.gauge.emplace(Metric::Gauge{}), kGaugeFields);
     },
     "A value that goes up and down.", &kObject<kGaugeTable>, "test_metrics_are_scraped"},
    {"histogram", Handling::kRead,
     [](const Place& place, Metric& out) {
       read_object<Metric::Histogram>(place, out.histogram.emplace(), kHistogramFields);
     },
     "How values spread.", &kObject<kHistogramTable>, "test_metrics_are_scraped"},
    {"counter", Handling::kRead,
     [](const Place& place, Metric& out) {
       read_object<Metric::Counter>(place, out.counter.emplace(), kCounterFields);
     },
     "A sum that grows.", &kObject<kCounterTable>, "test_metrics_are_scraped"},
};
constexpr FieldTable kMetricTable("Prometheus", kMetricFields);

constexpr Field<std::vector<Metric>> kMetricsFields[] = {
    {"prometheus", Handling::kRead,
     [](const Place& place, std::vector<Metric>& out) {
       if (!expect_array(place)) return;
       const doc::Array& metrics = place.value().get_array();
       for (std::size_t i = 0; i < metrics.size(); ++i) {
         read_object<Metric>(place.element(i, metrics[i]), out.emplace_back(), kMetricFields);
       }
     },
     "Each of them; `tiphys up` serves them at /metrics.", &kObject<kMetricTable, Shape::Around::kList>,
     "test_metrics_are_scraped",
     "They live as long as the plane: one that starts again counts from zero, as the original's controller does."},
};

}  // namespace

bool is_metric_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

constexpr FieldTable kMetricsTable("Metrics", kMetricsFields);

void read_metrics(const Place& place, std::vector<Metric>& out) {
  read_object<std::vector<Metric>>(place, out, kMetricsFields);
}

}  // namespace tiphys::api
