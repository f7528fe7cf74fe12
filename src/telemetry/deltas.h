// Counts since the last time in place of those since the start: OpenTelemetry's temporality "delta".
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/metric.h"

namespace tiphys::telemetry {

class Deltas {
 public:
  /// Takes off counters and histograms what the last call had of them. Gauges stay; so does what has become less, which
  /// has begun anew.
  void apply(std::vector<Metric>& metrics);

 private:
  using Key = std::pair<std::string, std::map<std::string, std::string>>;
  std::map<Key, Metric::Point> last_;
};

}  // namespace tiphys::telemetry
