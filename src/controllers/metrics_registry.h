// The metrics of workflows, for Prometheus and OpenTelemetry.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/run.h"
#include "telemetry/metric.h"

namespace tiphys::controllers {

/// What runs have emitted since the plane came up. Our own, not prometheus-cpp: that has no static archive in Debian,
/// brings a web server along, and its counters and families know neither conflicts nor what the original lets them do.
class MetricsRegistry {
 public:
  /// From now on metrics of this name have its help, type and buckets, and this unit (as UCUM writes it).
  void declare(const engine::EmitMetric& metric, std::string_view unit = kAnyUnit);
  /// Takes a metric of the workflow `owner` (a uid) in. An error, in the original's words, when it contradicts an
  /// earlier one of its name; nothing is changed then.
  Status emit(const engine::EmitMetric& metric, std::string_view owner);
  /// The workflow has ended: what still runs on of it stands still.
  void complete(std::string_view owner, Time at);
  /// The workflow is deleted: its realtime gauges are forgotten, what it counted stays.
  void forget(std::string_view owner);
  /// Nothing is known of this name any more, until it is emitted again.
  void clear(std::string_view name);

  /// Prometheus' text format 0.0.4. Names are led by argo_workflows_, as the original's.
  std::string text(Time now) const;
  /// The same for OpenTelemetry, with the names as they are.
  std::vector<telemetry::Metric> collect(Time now) const;

  /// Of the metrics of workflows, in the original.
  static constexpr std::string_view kAnyUnit = "{item}";

 private:
  enum class Type { kCounter, kGauge, kHistogram };
  /// Label names and values, in order.
  using Labels = std::map<std::string, std::string>;
  struct Series {
    double value = 0;                   ///< the sum, of a histogram
    std::vector<std::uint64_t> counts;  ///< histogram: by bucket, the last one without a bound
    // A realtime gauge: seconds from `since` to `until`, or to now.
    std::string owner;  ///< "": it is none
    Time since{};
    Time until{};
  };
  struct Family {
    std::string help;
    std::string unit;
    Type type = Type::kCounter;
    std::vector<double> buckets;
    std::map<Labels, Series> series;
  };

  static Type type_of(const engine::EmitMetric& metric);
  static Status check(const engine::EmitMetric& metric);
  static Status check_same(const Family& family, const engine::EmitMetric& metric);
  static double value_of(const Series& series, Time now);
  static void take(const engine::EmitMetric& metric, std::string_view owner, const Family& family, Series& series);
  static void render(const std::string& name, const Family& family, const Labels& labels, const Series& series,
                     Time now, std::string& text);

  std::map<std::string, Family, std::less<>> families_;
  std::size_t series_ = 0;
  std::set<std::string, std::less<>> owners_;  ///< of realtime gauges
};

}  // namespace tiphys::controllers
