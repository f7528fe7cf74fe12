// Messages of OTLP by their fields' numbers. Original: github.com/open-telemetry/opentelemetry-proto.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "telemetry/metric.h"
#include "telemetry/span.h"

namespace tiphys::telemetry {

/// A message of the kind Resource: what all that is sent comes from.
std::string encode_resource(const Attributes& attributes);

/// A message of the kind Span. What is no UTF-8 is made so: a collector refuses all of a request for one such text.
std::string encode_span(const Span& span);
/// An ExportTraceServiceRequest. `scope` says who has made the spans.
std::string encode_traces(std::string_view resource, std::string_view scope, std::span<const std::string> spans);

/// What the counts of metrics tell of.
struct Period {
  Time from{};
  Time to{};
  bool delta = false;  ///< counts begin anew with each period
};
/// An ExportMetricsServiceRequest.
std::string encode_metrics(std::string_view resource, std::string_view scope, std::span<const Metric> metrics,
                           const Period& period);

/// What an Export...ServiceResponse says was not taken.
struct Rejected {
  std::int64_t count = 0;
  std::string message;  ///< it may be there without a count
};
Result<Rejected> decode_response(std::string_view message);

/// Of a google.rpc.Status, which tells why a request has failed.
struct Failure {
  std::string message;
  std::optional<Duration> retry_delay;  ///< RetryInfo: it may be sent again after this
};
Result<Failure> decode_failure(std::string_view message);

}  // namespace tiphys::telemetry
