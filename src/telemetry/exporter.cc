#include "telemetry/exporter.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "telemetry/otlp.h"

namespace tiphys::telemetry {
namespace {

/// Collectors refuse requests of more than 4 MiB unless they are told otherwise.
constexpr std::size_t kMostBytes = 3 << 20;
constexpr std::size_t kMostPoints = 5'000;

std::size_t points_of(const std::vector<Metric>& metrics) {
  std::size_t count = 0;
  for (const Metric& metric : metrics) count += metric.points.size();
  return count;
}

/// Pieces of so many points at most; a metric with more is in several.
std::vector<std::vector<Metric>> in_pieces(std::vector<Metric> metrics) {
  std::vector<std::vector<Metric>> pieces;
  std::size_t room = 0;
  for (Metric& metric : metrics) {
    for (auto next = metric.points.begin(); next != metric.points.end();) {
      if (room == 0) {
        pieces.emplace_back();
        room = kMostPoints;
      }
      const auto count = std::min<std::size_t>(room, static_cast<std::size_t>(metric.points.end() - next));
      const auto end = next + static_cast<std::ptrdiff_t>(count);
      Metric part{metric.name, metric.description, metric.unit, metric.type, metric.whole, metric.bounds, {}};
      part.points.assign(std::make_move_iterator(next), std::make_move_iterator(end));
      pieces.back().push_back(std::move(part));
      room -= count;
      next = end;
    }
  }
  return pieces;
}

}  // namespace

Exporter::Exporter(ExporterParts parts)
    : parts_(std::move(parts)), resource_(encode_resource(parts_.resource)), counted_from_(parts_.executor.now()) {
  const auto make = [this](std::optional<Sender>& sender, const std::optional<Endpoint>& endpoint) {
    if (!endpoint) return;
    sender.emplace(parts_.executor, parts_.http, parts_.random, *endpoint,
                   [this, signal = endpoint->signal](std::size_t items) { drop(signal, items); });
  };
  make(traces_, parts_.settings.traces);
  make(metrics_, parts_.settings.metrics);
  if (metrics_) schedule_metrics();
}

Exporter::~Exporter() {
  parts_.executor.cancel(span_timer_);
  parts_.executor.cancel(metric_timer_);
}

void Exporter::drop(Signal signal, std::size_t items) {
  if (signal == Signal::kTraces) dropped_spans_ += items;
  parts_.dropped(signal, items);
}

// ---- Spans ----

void Exporter::take(const Span& span) {
  if (!traces_ || closed_) return;
  if (spans_.size() >= parts_.settings.most_spans) {
    if (!std::exchange(told_full_, true)) {
      log::warn("{} spans wait for {}: newer ones are lost", spans_.size(), traces_->endpoint().shown());
    }
    return drop(Signal::kTraces, 1);
  }
  spans_.push_back(encode_span(span));
  schedule_spans();
}

/// At once when there are enough for a request.
void Exporter::schedule_spans() {
  if (spans_.empty() || !traces_->idle()) return;
  const bool enough = spans_.size() >= parts_.settings.spans_of_request;
  if (enough) return send_spans();
  if (span_timer_ != 0) return;
  span_timer_ = parts_.executor.schedule(parts_.executor.now() + parts_.settings.span_delay, [this] {
    span_timer_ = 0;
    if (traces_->idle()) send_spans();
  });
}

void Exporter::send_spans() {
  parts_.executor.cancel(std::exchange(span_timer_, 0));
  traces_->send(next_spans(), [this] { schedule_spans(); });
}

Shipment Exporter::next_spans() {
  std::vector<std::string> spans;
  std::size_t bytes = 0;
  while (!spans_.empty() && spans.size() < parts_.settings.spans_of_request) {
    bytes += spans_.front().size();
    if (!spans.empty() && bytes > kMostBytes) break;
    spans.push_back(std::move(spans_.front()));
    spans_.pop_front();
  }
  told_full_ = told_full_ && !spans_.empty();
  return {encode_traces(resource_, parts_.scope, spans), spans.size()};
}

// ---- Metrics ----

void Exporter::schedule_metrics() {
  metric_timer_ = parts_.executor.schedule(parts_.executor.now() + parts_.settings.metric_interval, [this] {
    metric_timer_ = 0;
    schedule_metrics();
    collect_metrics();
  });
}

/// While the last ones are under way the turn is left out: the next one tells of all.
void Exporter::collect_metrics() {
  if (!metrics_->idle()) return;
  ship(current_metrics());
  send_metrics();
}

std::vector<Metric> Exporter::current_metrics() {
  std::vector<Metric> metrics = parts_.collect();
  if (parts_.delta) deltas_.apply(metrics);
  return metrics;
}

void Exporter::ship(std::vector<Metric> metrics) {
  const Time now = parts_.executor.now();
  const Period period{counted_from_, now, parts_.delta};
  if (parts_.delta) counted_from_ = now;
  for (const std::vector<Metric>& piece : in_pieces(std::move(metrics))) {
    shipments_.push_back({encode_metrics(resource_, parts_.scope, piece, period), points_of(piece)});
  }
}

void Exporter::send_metrics() {
  if (shipments_.empty()) return;
  Shipment next = std::move(shipments_.front());
  shipments_.pop_front();
  metrics_->send(std::move(next), [this] { send_metrics(); });
}

// ---- The end ----

void Exporter::close() {
  if (std::exchange(closed_, true)) return;
  parts_.executor.cancel(std::exchange(span_timer_, 0));
  parts_.executor.cancel(std::exchange(metric_timer_, 0));
  // Sent once more, it would count twice where counts begin anew each time.
  const Time began = parts_.executor.now();
  const auto asks = [](const std::optional<Sender>& sender) { return sender && sender->asks(); };
  parts_.wait([&] { return !asks(traces_) && !asks(metrics_); }, kLongestFarewell);
  const Duration left_time = kLongestFarewell - (parts_.executor.now() - began);
  if (traces_) {
    std::deque<Shipment> left;
    if (auto under_way = traces_->stop()) left.push_back(std::move(*under_way));
    while (!spans_.empty()) left.push_back(next_spans());
    deliver(*traces_, std::move(left), left_time);
  }
  if (metrics_) {
    // What is under way counts for itself only where counts begin anew each time.
    auto under_way = metrics_->stop();
    if (!parts_.delta) {
      shipments_.clear();
    } else if (under_way) {
      shipments_.push_front(std::move(*under_way));
    }
    ship(current_metrics());
    deliver(*metrics_, std::exchange(shipments_, {}), left_time);
  }
  if (dropped_spans_ > 0) log::warn("{} spans were not sent", dropped_spans_);
}

/// After the first one that does not arrive none is tried any more.
void Exporter::deliver(Sender& sender, std::deque<Shipment> shipments, Duration most) {
  const Time latest = parts_.executor.now() + most;
  bool arrives = true;
  for (const Shipment& shipment : shipments) {
    const Duration left = latest - parts_.executor.now();
    if (!arrives || left <= Duration::zero()) {
      drop(sender.endpoint().signal, shipment.items);
      continue;
    }
    web::HttpRequest request = collector_request(sender.endpoint(), shipment.message);
    request.timeout = std::min(sender.endpoint().timeout, left);
    arrives = sender.settle(shipment, parts_.exchange(std::move(request)));
  }
}

}  // namespace tiphys::telemetry
