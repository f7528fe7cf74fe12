// What a workflow or a template's nodes tell Prometheus.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::api {

/// One of `metrics.prometheus`. Texts may hold tags, names too.
struct Metric {
  struct Label {
    std::string key;
    std::string value;
  };
  struct Gauge {
    std::string value;
    bool realtime = false;  ///< the value is a time that runs on
    std::string operation;  ///< "", Set, Add, Sub
  };
  struct Histogram {
    std::string value;
    std::vector<double> buckets;  ///< upper bounds, ascending
  };
  struct Counter {
    std::string value;
  };

  std::string name;
  std::vector<Label> labels;
  std::string help;
  std::string when;
  // Exactly one of them; of several the original takes the first.
  std::optional<Gauge> gauge;
  std::optional<Histogram> histogram;
  std::optional<Counter> counter;

  bool realtime() const { return gauge && gauge->realtime; }
  /// That of its type; null: it has none.
  const std::string* value() const {
    return gauge ? &gauge->value : histogram ? &histogram->value : counter ? &counter->value : nullptr;
  }
};

/// Whether a metric or a label may have this name: as Prometheus has it, without colons.
bool is_metric_name(std::string_view name);

}  // namespace tiphys::api
