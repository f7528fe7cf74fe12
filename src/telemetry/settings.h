// Where traces and metrics are sent, as the environment says it with OpenTelemetry's variables. Original:
// opentelemetry.io/docs/specs/otel/protocol/exporter, and util/telemetry of Argo for what it does with them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "telemetry/span.h"
#include "web/http_client.h"

namespace tiphys::telemetry {

enum class Signal { kTraces, kMetrics };
/// "traces", "metrics".
std::string_view signal_name(Signal signal);

struct Endpoint {
  Signal signal = Signal::kTraces;
  bool grpc = true;  ///< else HTTP with messages of protobuf
  std::string url;   ///< of the request, method and all
  web::Headers headers;
  Duration timeout = std::chrono::seconds(10);
  /// PEM: in place of what the system trusts, and what the client shows; "" none.
  std::string trusted_certificates, client_certificate, client_key;

  /// For messages: scheme and host, without what a URL may hold of secrets.
  std::string shown() const;
};

struct Settings {
  std::optional<Endpoint> traces, metrics;  ///< absent: not sent
  std::string service_name;
  Attributes resource;  ///< of OTEL_RESOURCE_ATTRIBUTES
  Duration span_delay = std::chrono::seconds(5);
  std::size_t most_spans = 16'384;  ///< that wait to be sent
  std::size_t spans_of_request = 512;
  Duration metric_interval = std::chrono::seconds(60);

  bool any() const { return traces || metrics; }
};

/// `variable` gives a variable's value, "" where it has none. An error names the variable that cannot be meant.
Result<Settings> read_settings(const std::function<std::string(const std::string& name)>& variable);

}  // namespace tiphys::telemetry
