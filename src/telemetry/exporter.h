// Sends spans and metrics to collectors while a plane runs, and what is left of them at its end.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/deltas.h"
#include "telemetry/metric.h"
#include "telemetry/sender.h"
#include "telemetry/settings.h"
#include "telemetry/span.h"

namespace tiphys::telemetry {

struct ExporterParts {
  Executor& executor;
  web::HttpClient& http;
  Random& random;
  Settings settings;
  Attributes resource;  ///< what all of it comes from
  std::string scope;    ///< who has made it
  bool delta = false;   ///< counters and histograms since the last time, in place of since the start
  /// All metrics as they are now.
  std::function<std::vector<Metric>()> collect;
  /// So much of a signal is lost.
  std::function<void(Signal signal, std::size_t items)> dropped;
  /// One request, waited for: at the end.
  std::function<Result<web::HttpAnswer>(web::HttpRequest)> exchange;
  /// Lets answers of `http` come until `done` holds, or for so long: at the end, too.
  std::function<void(const std::function<bool()>& done, Duration most)> wait = [](const auto&, Duration) {};
};

/// Spans are sent when there are enough for a request or the oldest has waited its time, metrics at their interval,
/// each signal by itself and one request at a time. Executor's thread only.
class Exporter final : public SpanSink {
 public:
  explicit Exporter(ExporterParts parts);
  ~Exporter() override;
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  /// Where spans are wanted; null: nowhere.
  SpanSink* spans() { return traces_ ? this : nullptr; }
  void take(const Span& span) override;

  /// Waits for the answer to what is under way, then sends what is left, each piece once: kLongestFarewell for each
  /// signal at most. Nothing is sent after that.
  void close();

 private:
  void schedule_spans();
  void send_spans();
  Shipment next_spans();
  void schedule_metrics();
  void collect_metrics();
  void send_metrics();
  std::vector<Metric> current_metrics();
  void ship(std::vector<Metric> metrics);
  void deliver(Sender& sender, std::deque<Shipment> shipments, Duration most);
  void drop(Signal signal, std::size_t items);

  ExporterParts parts_;
  const std::string resource_;  ///< encoded
  std::optional<Sender> traces_, metrics_;
  std::deque<std::string> spans_;  ///< encoded
  Executor::TimerId span_timer_ = 0;
  std::deque<Shipment> shipments_;  ///< of metrics
  Executor::TimerId metric_timer_ = 0;
  Deltas deltas_;
  Time counted_from_;
  std::uint64_t dropped_spans_ = 0;
  bool told_full_ = false;
  bool closed_ = false;
};

inline constexpr Duration kLongestFarewell = std::chrono::milliseconds(2500);

}  // namespace tiphys::telemetry
