// A metric with its series at a moment, as OpenTelemetry has it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tiphys::telemetry {

struct Metric {
  enum class Type { kCounter, kGauge, kHistogram };
  struct Point {
    std::map<std::string, std::string> attributes;
    double value = 0;                   ///< the sum, of a histogram
    std::vector<std::uint64_t> counts;  ///< of a histogram: by bucket, the last one without a bound
  };
  std::string name;
  std::string description;
  std::string unit;  ///< as UCUM writes it: "s", "{workflow}"
  Type type = Type::kCounter;
  bool whole = false;  ///< its values are whole numbers
  std::vector<double> bounds;
  std::vector<Point> points;
};

}  // namespace tiphys::telemetry
