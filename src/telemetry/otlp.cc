#include "telemetry/otlp.h"

#include <bit>
#include <cmath>
#include <numeric>

#include "base/protobuf_wire.h"
#include "doc/utf8.h"

namespace tiphys::telemetry {
namespace {

constexpr std::uint64_t kDelta = 1, kCumulative = 2;  // AggregationTemporality
constexpr std::string_view kRetryInfo = "type.googleapis.com/google.rpc.RetryInfo";

std::uint64_t nanoseconds(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

void put_text(WireWriter& message, std::uint32_t number, std::string_view text) {
  if (doc::is_utf8(text)) return message.bytes(number, text);
  message.bytes(number, doc::to_utf8(text));
}

/// A KeyValue as field `number` of `message`.
void put_attribute(std::string& message, std::uint32_t number, std::string_view key, const AttributeValue& value) {
  std::string any, pair;
  WireWriter written(any);
  if (const auto* text = std::get_if<std::string>(&value)) put_text(written, 1, *text);
  if (const auto* flag = std::get_if<bool>(&value)) written.varint(2, *flag ? 1 : 0);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) written.varint(3, static_cast<std::uint64_t>(*whole));
  WireWriter members(pair);
  put_text(members, 1, key);
  members.bytes(2, any);
  WireWriter(message).bytes(number, pair);
}

void put_double(std::string& message, std::uint32_t number, double value) {
  WireWriter(message).fixed64(number, std::bit_cast<std::uint64_t>(value));
}

/// A repeated fixed64 or double, packed.
template <typename Value>
void put_packed(std::string& message, std::uint32_t number, const std::vector<Value>& values) {
  std::string packed;
  for (const Value value : values) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int i = 0; i < 8; ++i) packed += static_cast<char>(bits >> 8 * i & 0xFFU);
  }
  WireWriter(message).bytes(number, packed);
}

std::string scope_message(std::string_view name) {
  std::string scope;
  WireWriter(scope).bytes(1, name);
  return scope;
}

/// A request: resource and scope around its items, which `put` writes as fields 2 of the scope's message.
template <typename Put>
std::string request_around(std::string_view resource, std::string_view scope, Put put) {
  std::string of_scope;
  WireWriter(of_scope).bytes(1, scope_message(scope));
  put(of_scope);
  std::string of_resource;
  WireWriter within(of_resource);
  within.bytes(1, resource);
  within.bytes(2, of_scope);
  std::string request;
  WireWriter(request).bytes(1, of_resource);
  return request;
}

std::string number_point(const Metric& metric, const Metric::Point& point, const Period& period) {
  std::string message;
  for (const auto& [key, value] : point.attributes) put_attribute(message, 7, key, value);
  WireWriter written(message);
  if (metric.type == Metric::Type::kCounter) written.fixed64(2, nanoseconds(period.from));
  written.fixed64(3, nanoseconds(period.to));
  if (metric.whole && std::isfinite(point.value)) {
    written.fixed64(6, static_cast<std::uint64_t>(std::llround(point.value)));
  } else {
    put_double(message, 4, point.value);
  }
  return message;
}

std::string histogram_point(const Metric& metric, const Metric::Point& point, const Period& period) {
  std::string message;
  WireWriter written(message);
  written.fixed64(2, nanoseconds(period.from));
  written.fixed64(3, nanoseconds(period.to));
  written.fixed64(4, std::accumulate(point.counts.begin(), point.counts.end(), std::uint64_t{0}));
  put_double(message, 5, point.value);
  put_packed(message, 6, point.counts);
  put_packed(message, 7, metric.bounds);
  for (const auto& [key, value] : point.attributes) put_attribute(message, 9, key, value);
  return message;
}

std::string encode_metric(const Metric& metric, const Period& period) {
  std::string data;
  WireWriter points(data);
  const bool is_histogram = metric.type == Metric::Type::kHistogram;
  for (const Metric::Point& point : metric.points) {
    points.bytes(1, is_histogram ? histogram_point(metric, point, period) : number_point(metric, point, period));
  }
  if (metric.type != Metric::Type::kGauge) points.varint(2, period.delta ? kDelta : kCumulative);
  if (metric.type == Metric::Type::kCounter) points.varint(3, 1);

  std::string message;
  WireWriter written(message);
  put_text(written, 1, metric.name);
  put_text(written, 2, metric.description);
  put_text(written, 3, metric.unit);
  constexpr std::uint32_t kGauge = 5, kSum = 7, kHistogram = 9;
  written.bytes(metric.type == Metric::Type::kGauge ? kGauge : is_histogram ? kHistogram : kSum, data);
  return message;
}

/// The fields of a message one by one.
template <typename Take>
Status read_fields(std::string_view message, Take take) {
  WireReader reader(message);
  while (true) {
    TIPHYS_TRY(const auto field, reader.next());
    if (!field) return {};
    TIPHYS_CHECK_OK(take(*field));
  }
}

Result<Duration> decode_duration(std::string_view message) {
  std::int64_t seconds = 0, nanos = 0;
  TIPHYS_CHECK_OK(read_fields(message, [&](const WireField& field) -> Status {
    if (field.number == 1) seconds = static_cast<std::int64_t>(field.value);
    if (field.number == 2) nanos = static_cast<std::int64_t>(field.value);
    return {};
  }));
  constexpr std::int64_t kLongest = 86'400;  // what is longer is as good as never
  if (seconds < 0 || nanos < 0) return Duration(0);
  if (seconds >= kLongest) return Duration(std::chrono::seconds(kLongest));
  return Duration(std::chrono::seconds(seconds)) + Duration(nanos % 1'000'000'000);
}

/// An Any, of which RetryInfo is the one kind that is looked at.
Status read_detail(std::string_view message, Failure& failure) {
  std::string_view type, value;
  TIPHYS_CHECK_OK(read_fields(message, [&](const WireField& field) -> Status {
    if (field.number == 1) type = field.bytes;
    if (field.number == 2) value = field.bytes;
    return {};
  }));
  if (type != kRetryInfo) return {};
  return read_fields(value, [&](const WireField& field) -> Status {
    if (field.number != 1) return {};
    TIPHYS_TRY(failure.retry_delay, decode_duration(field.bytes));
    return {};
  });
}

}  // namespace

std::string encode_resource(const Attributes& attributes) {
  std::string message;
  for (const auto& [key, value] : attributes) put_attribute(message, 1, key, value);
  return message;
}

std::string encode_span(const Span& span) {
  std::string message;
  WireWriter written(message);
  written.bytes(1, {span.trace.bytes.data(), span.trace.bytes.size()});
  written.bytes(2, {span.id.bytes.data(), span.id.bytes.size()});
  if (span.parent) written.bytes(4, {span.parent->bytes.data(), span.parent->bytes.size()});
  put_text(written, 5, span.name);
  written.varint(6, static_cast<std::uint64_t>(span.kind));
  written.fixed64(7, nanoseconds(span.start));
  written.fixed64(8, nanoseconds(span.end));
  for (const auto& [key, value] : span.attributes) put_attribute(message, 9, key, value);
  if (span.outcome != Span::Outcome::kUnset) {
    std::string status;
    WireWriter outcome(status);
    if (!span.message.empty()) put_text(outcome, 2, span.message);
    outcome.varint(3, static_cast<std::uint64_t>(span.outcome));
    written.bytes(15, status);
  }
  return message;
}

std::string encode_traces(std::string_view resource, std::string_view scope, std::span<const std::string> spans) {
  return request_around(resource, scope, [&](std::string& of_scope) {
    for (const std::string& span : spans) WireWriter(of_scope).bytes(2, span);
  });
}

std::string encode_metrics(std::string_view resource, std::string_view scope, std::span<const Metric> metrics,
                           const Period& period) {
  return request_around(resource, scope, [&](std::string& of_scope) {
    for (const Metric& metric : metrics) {
      if (!metric.points.empty()) WireWriter(of_scope).bytes(2, encode_metric(metric, period));
    }
  });
}

Result<Rejected> decode_response(std::string_view message) {
  Rejected rejected;
  TIPHYS_CHECK_OK(read_fields(message, [&](const WireField& field) -> Status {
    if (field.number != 1) return {};
    return read_fields(field.bytes, [&](const WireField& part) -> Status {
      if (part.number == 1) rejected.count = static_cast<std::int64_t>(part.value);
      if (part.number == 2) rejected.message = part.bytes;
      return {};
    });
  }));
  return rejected;
}

Result<Failure> decode_failure(std::string_view message) {
  Failure failure;
  TIPHYS_CHECK_OK(read_fields(message, [&](const WireField& field) -> Status {
    if (field.number == 2) failure.message = field.bytes;
    if (field.number == 3) return read_detail(field.bytes, failure);
    return {};
  }));
  return failure;
}

}  // namespace tiphys::telemetry
