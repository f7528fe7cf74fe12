#include "telemetry/deltas.h"

namespace tiphys::telemetry {
namespace {

bool began_anew(const Metric::Point& now, const Metric::Point& before) {
  if (now.counts.size() != before.counts.size()) return true;
  for (std::size_t i = 0; i < now.counts.size(); ++i) {
    if (now.counts[i] < before.counts[i]) return true;
  }
  return now.counts.empty() && now.value < before.value;
}

void take_off(Metric::Point& now, const Metric::Point& before) {
  if (began_anew(now, before)) return;
  now.value -= before.value;
  for (std::size_t i = 0; i < now.counts.size(); ++i) now.counts[i] -= before.counts[i];
}

}  // namespace

void Deltas::apply(std::vector<Metric>& metrics) {
  std::map<Key, Metric::Point> next;
  for (Metric& metric : metrics) {
    if (metric.type == Metric::Type::kGauge) continue;
    for (Metric::Point& point : metric.points) {
      Key key(metric.name, point.attributes);
      const auto before = last_.find(key);
      next.emplace(std::move(key), point);
      if (before != last_.end()) take_off(point, before->second);
    }
  }
  last_ = std::move(next);
}

}  // namespace tiphys::telemetry
