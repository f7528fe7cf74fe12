#include "controllers/metrics_registry.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tiphys::controllers {
namespace {

using engine::EmitMetric;
using namespace std::chrono_literals;

constexpr Time kNow = Time{1'700'000'000s};

EmitMetric metric(EmitMetric::Kind kind, double value, std::map<std::string, std::string> labels = {}) {
  EmitMetric made;
  made.name = "m";
  made.help = "h";
  made.kind = kind;
  made.value = value;
  made.labels = std::move(labels);
  return made;
}

EmitMetric gauge(EmitMetric::Operation operation, double value) {
  EmitMetric made = metric(EmitMetric::Kind::kGauge, value);
  made.operation = operation;
  return made;
}

EmitMetric realtime(std::string model, Time since, Time until = {}) {
  EmitMetric made = metric(EmitMetric::Kind::kRealtime, 0, {{"model", std::move(model)}});
  made.since = since;
  made.until = until;
  return made;
}

/// The samples alone, without the prefix.
std::string samples(const MetricsRegistry& registry, Time now = kNow) {
  std::string lines, text = registry.text(now);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at) + 1;
    if (text[at] != '#') lines += text.substr(at + 15, end - at - 15);
    at = end;
  }
  return lines;
}

TEST(MetricsRegistry, IsEmptyAtFirst) {
  EXPECT_EQ(MetricsRegistry().text(kNow), "");
}

TEST(MetricsRegistry, CountersAddUpByLabels) {
  MetricsRegistry registry;
  for (const char* status : {"Succeeded", "Failed", "Succeeded"}) {
    ASSERT_TRUE(registry.emit(metric(EmitMetric::Kind::kCounter, 1.5, {{"status", status}, {"a", ""}}), "uid"));
  }
  EXPECT_EQ(registry.text(kNow),
            "# HELP argo_workflows_m h\n"
            "# TYPE argo_workflows_m counter\n"
            "argo_workflows_m{a=\"\",status=\"Failed\"} 1.5\n"
            "argo_workflows_m{a=\"\",status=\"Succeeded\"} 3\n");
}

TEST(MetricsRegistry, GaugesAreSetAndCountUpAndDown) {
  MetricsRegistry registry;
  ASSERT_TRUE(registry.emit(gauge(EmitMetric::Operation::kAdd, 5), ""));
  ASSERT_TRUE(registry.emit(gauge(EmitMetric::Operation::kSub, 7), ""));
  EXPECT_EQ(samples(registry), "m -2\n");
  ASSERT_TRUE(registry.emit(gauge(EmitMetric::Operation::kSet, 1e6), ""));
  EXPECT_EQ(samples(registry), "m 1e+06\n");
  ASSERT_TRUE(registry.emit(gauge(EmitMetric::Operation::kSet, std::numeric_limits<double>::infinity()), ""));
  EXPECT_EQ(samples(registry), "m +Inf\n");
  ASSERT_TRUE(registry.emit(gauge(EmitMetric::Operation::kSet, std::nan("")), ""));
  EXPECT_EQ(samples(registry), "m NaN\n");
}

TEST(MetricsRegistry, HistogramsCountInBuckets) {
  MetricsRegistry registry;
  for (const double value : {1.0, 2.0, 2.5, 99.0}) {
    EmitMetric made = metric(EmitMetric::Kind::kHistogram, value, {{"a", "b"}});
    made.buckets = {1, 2.5};
    ASSERT_TRUE(registry.emit(made, ""));
  }
  EXPECT_EQ(samples(registry),
            "m_bucket{a=\"b\",le=\"1\"} 1\n"
            "m_bucket{a=\"b\",le=\"2.5\"} 3\n"
            "m_bucket{a=\"b\",le=\"+Inf\"} 4\n"
            "m_sum{a=\"b\"} 104.5\n"
            "m_count{a=\"b\"} 4\n");
}

TEST(MetricsRegistry, RealtimeGaugesRunOnUntilTheirEnd) {
  MetricsRegistry registry;
  ASSERT_TRUE(registry.emit(realtime("a", kNow), "one"));
  ASSERT_TRUE(registry.emit(realtime("b", kNow), "one"));
  ASSERT_TRUE(registry.emit(realtime("c", kNow), "two"));
  EXPECT_EQ(samples(registry, kNow + 1500ms), "m{model=\"a\"} 1.5\nm{model=\"b\"} 1.5\nm{model=\"c\"} 1.5\n");
  ASSERT_TRUE(registry.emit(realtime("a", kNow, kNow + 2s), "one"));
  registry.complete("one", kNow + 5s);
  EXPECT_EQ(samples(registry, kNow + 9s), "m{model=\"a\"} 2\nm{model=\"b\"} 5\nm{model=\"c\"} 9\n");
  registry.forget("one");
  EXPECT_EQ(samples(registry, kNow + 9s), "m{model=\"c\"} 9\n");
  registry.forget("two");
  EXPECT_EQ(registry.text(kNow), "");
}

TEST(MetricsRegistry, IsReadByOpenTelemetry) {
  MetricsRegistry registry;
  ASSERT_TRUE(registry.emit(realtime("a", kNow), "one"));
  EmitMetric made = metric(EmitMetric::Kind::kHistogram, 2, {{"a", "b"}});
  made.name = "sizes";
  made.buckets = {1, 2.5};
  ASSERT_TRUE(registry.emit(made, ""));
  registry.declare(metric(EmitMetric::Kind::kCounter, 0));
  const auto metrics = registry.collect(kNow + 1500ms);
  ASSERT_EQ(metrics.size(), 2u);
  EXPECT_EQ(metrics[0].name, "m");
  EXPECT_EQ(metrics[0].type, telemetry::Metric::Type::kGauge);
  EXPECT_EQ(metrics[0].points.front().value, 1.5);
  EXPECT_EQ(metrics[1].bounds, made.buckets);
  EXPECT_EQ(metrics[1].points.front().counts, (std::vector<std::uint64_t>{0, 1, 0}));
  registry.clear("m");
  registry.clear("nothing");
  EXPECT_EQ(registry.collect(kNow).size(), 1u);
}

TEST(MetricsRegistry, EscapesWhatLinesAreMadeOf) {
  MetricsRegistry registry;
  EmitMetric made = metric(EmitMetric::Kind::kCounter, 1, {{"a", "\"x\"\\\n"}});
  made.help = "\"h\"\\\n";
  ASSERT_TRUE(registry.emit(made, ""));
  EXPECT_EQ(registry.text(kNow),
            "# HELP argo_workflows_m \"h\"\\\\\\n\n"
            "# TYPE argo_workflows_m counter\n"
            "argo_workflows_m{a=\"\\\"x\\\"\\\\\\n\"} 1\n");
}

TEST(MetricsRegistry, RefusesWhatDoesNotFit) {
  MetricsRegistry registry;
  ASSERT_TRUE(registry.emit(metric(EmitMetric::Kind::kCounter, 1), ""));
  const auto error = [&](const EmitMetric& refused) {
    const Status taken = registry.emit(refused, "");
    return taken ? "" : taken.error().message;
  };
  EXPECT_EQ(error(metric(EmitMetric::Kind::kGauge, 1)), "found existing counter for custom metric m of type Gauge");
  EXPECT_EQ(error(metric(EmitMetric::Kind::kRealtime, 1)), "found existing counter for custom metric m of type Gauge");
  EmitMetric other = metric(EmitMetric::Kind::kCounter, 1);
  other.help = "another";
  EXPECT_EQ(error(other), "help for metric m is already set to h, it cannot be changed");
  EmitMetric buckets = metric(EmitMetric::Kind::kHistogram, 1);
  buckets.name = "sizes";
  buckets.buckets = {3, 2.5};
  EXPECT_EQ(error(buckets), "aggregation: explicit bucket histogram: non-monotonic boundaries: [3 2.5]");
  buckets.buckets = {1};
  buckets.labels["le"] = "1";
  EXPECT_EQ(error(buckets), "label le is Prometheus' own");
  EXPECT_EQ(error(metric(EmitMetric::Kind::kCounter, 1, {{"__name__", "x"}})), "label __name__ is Prometheus' own");
  EXPECT_EQ(samples(registry), "m 1\n");
}

TEST(MetricsRegistry, HasABound) {
  MetricsRegistry registry;
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(registry.emit(metric(EmitMetric::Kind::kCounter, 1, {{"n", std::to_string(i)}}), ""));
  }
  EXPECT_FALSE(registry.emit(metric(EmitMetric::Kind::kCounter, 1, {{"n", "one more"}}), ""));
  EXPECT_TRUE(registry.emit(metric(EmitMetric::Kind::kCounter, 1, {{"n", "7"}}), ""));
}

}  // namespace
}  // namespace tiphys::controllers
