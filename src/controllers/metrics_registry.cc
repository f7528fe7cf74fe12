#include "controllers/metrics_registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "expr/go_text.h"

namespace tiphys::controllers {
namespace {

using engine::EmitMetric;

constexpr std::string_view kPrefix = "argo_workflows_";
/// Labels that take ever new values fill memory, here and at Prometheus.
constexpr std::size_t kMostSeries = 100'000;

constexpr std::string_view kTypeNames[] = {"counter", "gauge", "histogram"};
constexpr std::string_view kWantedNames[] = {"Counter", "Gauge", "Histogram"};

std::string number(double value) {
  return expr::go_float_text(value);
}

void escape(std::string_view raw, bool quotes, std::string& text) {
  for (const char c : raw) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '"' && quotes) {
      text += "\\\"";
    } else {
      text += c;
    }
  }
}

/// "name{a="b",le="1"} value": a line of the text.
void sample(const std::string& name, std::string_view suffix, const std::map<std::string, std::string>& labels,
            std::string_view bound, std::string_view value, std::string& text) {
  text += kPrefix;
  text += name;
  text += suffix;
  char before = '{';
  const auto label = [&](std::string_view key, std::string_view of) {
    text += std::exchange(before, ',');
    text += key;
    text += "=\"";
    escape(of, true, text);
    text += '"';
  };
  for (const auto& [key, of] : labels) label(key, of);
  if (!bound.empty()) label("le", bound);
  if (before == ',') text += '}';
  text += ' ';
  text += value;
  text += '\n';
}

}  // namespace

MetricsRegistry::Type MetricsRegistry::type_of(const EmitMetric& metric) {
  switch (metric.kind) {
    case EmitMetric::Kind::kCounter:
      return Type::kCounter;
    case EmitMetric::Kind::kHistogram:
      return Type::kHistogram;
    case EmitMetric::Kind::kGauge:
    case EmitMetric::Kind::kRealtime:
      break;
  }
  return Type::kGauge;
}

/// What would spoil the whole page.
Status MetricsRegistry::check(const EmitMetric& metric) {
  for (const auto& [key, value] : metric.labels) {
    if (!key.starts_with("__") && (metric.kind != EmitMetric::Kind::kHistogram || key != "le")) continue;
    return fail(Code::kInvalidArgument, fmt::format("label {} is Prometheus' own", key));
  }
  const std::vector<double>& buckets = metric.buckets;
  if (std::ranges::adjacent_find(buckets, std::greater_equal<>()) == buckets.end()) return {};
  std::string bounds;
  for (const double bound : buckets) bounds += (bounds.empty() ? "" : " ") + number(bound);
  return fail(Code::kInvalidArgument,
              fmt::format("aggregation: explicit bucket histogram: non-monotonic boundaries: [{}]", bounds));
}

Status MetricsRegistry::check_same(const Family& family, const EmitMetric& metric) {
  if (family.help != metric.help) {
    return fail(Code::kInvalidArgument,
                fmt::format("help for metric {} is already set to {}, it cannot be changed", metric.name, family.help));
  }
  const Type wanted = type_of(metric);
  if (family.type == wanted) return {};
  return fail(Code::kInvalidArgument, fmt::format("found existing {} for custom metric {} of type {}",
                                                  kTypeNames[static_cast<int>(family.type)], metric.name,
                                                  kWantedNames[static_cast<int>(wanted)]));
}

void MetricsRegistry::declare(const EmitMetric& metric, std::string_view unit) {
  families_.try_emplace(metric.name, Family{metric.help, std::string(unit), type_of(metric), metric.buckets, {}});
}

Status MetricsRegistry::emit(const EmitMetric& metric, std::string_view owner) {
  TIPHYS_CHECK_OK(check(metric));
  auto found = families_.find(metric.name);
  if (found != families_.end()) TIPHYS_CHECK_OK(check_same(found->second, metric));
  const bool known = found != families_.end() && found->second.series.contains(metric.labels);
  if (!known && series_ >= kMostSeries) {
    return fail(Code::kResourceExhausted,
                fmt::format("there are {} series of metrics already: give labels fewer values", kMostSeries));
  }
  if (found == families_.end()) {
    declare(metric);
    found = families_.find(metric.name);
  }
  Family& family = found->second;
  const auto [series, is_new] = family.series.try_emplace(metric.labels);
  if (is_new) ++series_;
  if (metric.kind == EmitMetric::Kind::kRealtime) owners_.emplace(owner);
  take(metric, owner, family, series->second);
  return {};
}

void MetricsRegistry::take(const EmitMetric& metric, std::string_view owner, const Family& family, Series& series) {
  if (metric.kind == EmitMetric::Kind::kRealtime) {
    series.owner = owner;
    series.since = metric.since;
    series.until = metric.until;
    return;
  }
  series.owner.clear();
  if (metric.kind == EmitMetric::Kind::kHistogram) {
    series.counts.resize(family.buckets.size() + 1);
    const auto bucket = std::ranges::lower_bound(family.buckets, metric.value) - family.buckets.begin();
    ++series.counts[static_cast<std::size_t>(bucket)];
    series.value += metric.value;
  } else if (metric.kind == EmitMetric::Kind::kCounter || metric.operation == EmitMetric::Operation::kAdd) {
    series.value += metric.value;
  } else if (metric.operation == EmitMetric::Operation::kSub) {
    series.value -= metric.value;
  } else {
    series.value = metric.value;
  }
}

void MetricsRegistry::complete(std::string_view owner, Time at) {
  if (!owners_.contains(owner)) return;
  for (auto& [name, family] : families_) {
    for (auto& [labels, series] : family.series) {
      if (series.owner == owner && series.until == Time{}) series.until = at;
    }
  }
}

void MetricsRegistry::forget(std::string_view owner) {
  const auto known = owners_.find(owner);
  if (known == owners_.end()) return;
  owners_.erase(known);
  for (auto& [name, family] : families_) {
    series_ -= std::erase_if(family.series, [&](const auto& each) { return each.second.owner == owner; });
  }
}

void MetricsRegistry::clear(std::string_view name) {
  const auto found = families_.find(name);
  if (found == families_.end()) return;
  series_ -= found->second.series.size();
  found->second.series.clear();
}

std::string MetricsRegistry::text(Time now) const {
  std::string text;
  for (const auto& [name, family] : families_) {
    if (family.series.empty()) continue;
    text += fmt::format("# HELP {}{} ", kPrefix, name);
    escape(family.help, false, text);
    text += fmt::format("\n# TYPE {}{} {}\n", kPrefix, name, kTypeNames[static_cast<int>(family.type)]);
    for (const auto& [labels, series] : family.series) render(name, family, labels, series, now, text);
  }
  return text;
}

std::vector<telemetry::Metric> MetricsRegistry::collect(Time now) const {
  using Metric = telemetry::Metric;
  std::vector<Metric> metrics;
  for (const auto& [name, family] : families_) {
    if (family.series.empty()) continue;
    Metric& metric = metrics.emplace_back(name, family.help, family.unit);
    metric.type = family.type == Type::kCounter ? Metric::Type::kCounter
                  : family.type == Type::kGauge ? Metric::Type::kGauge
                                                : Metric::Type::kHistogram;
    // What the original counts is whole; of what workflows emit nobody knows.
    metric.whole = family.type != Type::kHistogram && family.unit != kAnyUnit;
    metric.bounds = family.buckets;
    metric.points.reserve(family.series.size());
    for (const auto& [labels, series] : family.series) {
      metric.points.emplace_back(labels, value_of(series, now), series.counts);
    }
  }
  return metrics;
}

double MetricsRegistry::value_of(const Series& series, Time now) {
  if (series.owner.empty()) return series.value;
  const Time end = series.until == Time{} ? now : series.until;
  return std::chrono::duration<double>(end - series.since).count();
}

void MetricsRegistry::render(const std::string& name, const Family& family, const Labels& labels, const Series& series,
                             Time now, std::string& text) {
  if (family.type != Type::kHistogram) return sample(name, "", labels, "", number(value_of(series, now)), text);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < series.counts.size(); ++i) {
    count += series.counts[i];
    const std::string bound = i < family.buckets.size() ? number(family.buckets[i]) : "+Inf";
    sample(name, "_bucket", labels, bound, std::to_string(count), text);
  }
  sample(name, "_sum", labels, "", number(series.value), text);
  sample(name, "_count", labels, "", std::to_string(count), text);
}

}  // namespace tiphys::controllers
