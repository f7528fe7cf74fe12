#include "telemetry/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/file.h"
#include "base/percent.h"
#include "base/strings.h"
#include "base/whole_number.h"

namespace tiphys::telemetry {
namespace {

using Variables = std::function<std::string(const std::string&)>;

struct OfSignal {
  std::string_view name, variable, path, method;
};
constexpr OfSignal kSignals[] = {
    {"traces", "TRACES", "/v1/traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"},
    {"metrics", "METRICS", "/v1/metrics", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"}};

const OfSignal& of(Signal signal) {
  return kSignals[static_cast<std::size_t>(signal)];
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// A variable of one signal goes before that of all.
struct Found {
  std::string name, value;
  bool of_signal = false;
};
Found find(const Variables& variable, Signal signal, std::string_view what) {
  std::string own = fmt::format("OTEL_EXPORTER_OTLP_{}_{}", of(signal).variable, what);
  if (std::string value(trim(variable(own))); !value.empty()) return {std::move(own), std::move(value), true};
  std::string common = fmt::format("OTEL_EXPORTER_OTLP_{}", what);
  std::string value(trim(variable(common)));
  return {std::move(common), std::move(value), false};
}

std::unexpected<Error> wrong(std::string_view name, std::string_view why) {
  return fail(Code::kInvalidArgument, fmt::format("{}: {}", name, why));
}

/// "a=b,c=d" with values escaped as in URLs.
Result<web::Headers> read_pairs(std::string_view name, std::string_view text) {
  web::Headers pairs;
  for (const std::string_view part : split(text, ',')) {
    if (trim(part).empty()) continue;
    const auto equals = part.find('=');
    const std::string_view key = trim(part.substr(0, std::min(equals, part.size())));
    if (equals == part.npos || key.empty()) return wrong(name, "it must be NAME=VALUE,NAME=VALUE");
    const auto value = percent_decode(trim(part.substr(equals + 1)), false);
    if (!value) return wrong(name, fmt::format("the value of {}: {}", key, value.error().message));
    pairs.emplace_back(key, *value);
  }
  return pairs;
}

Result<Duration> read_milliseconds(const std::string& name, const std::string& text, Duration otherwise) {
  if (text.empty()) return otherwise;
  constexpr std::int64_t kMost = 86'400'000;
  const auto count = whole_number(text);
  if (!count || *count < 0 || *count > kMost) return wrong(name, "it must be a number of milliseconds, a day at most");
  return *count == 0 ? otherwise : Duration(std::chrono::milliseconds(*count));
}

Result<std::size_t> read_count(const Variables& variable, const std::string& name, std::size_t otherwise) {
  const std::string text(trim(variable(name)));
  if (text.empty()) return otherwise;
  constexpr std::int64_t kMost = 1'000'000;
  const auto count = whole_number(text);
  if (!count || *count < 1 || *count > kMost) return wrong(name, fmt::format("it must be 1 to {}", kMost));
  return static_cast<std::size_t>(*count);
}

Result<std::string> read_pem(const Variables& variable, Signal signal, std::string_view what) {
  const Found file = find(variable, signal, what);
  if (file.value.empty()) return "";
  auto text = read_whole_file(file.value);
  if (!text) return wrong(file.name, text.error().message);
  return std::move(*text);
}

/// Original: grpc unless something else is said, and all that begins with http/ is protobuf by HTTP.
Result<bool> speaks_grpc(const Variables& variable, Signal signal) {
  const Found protocol = find(variable, signal, "PROTOCOL");
  if (protocol.value.empty() || protocol.value == "grpc") return true;
  if (protocol.value.starts_with("http/")) return false;
  return wrong(protocol.name, fmt::format("\"{}\" is neither grpc nor http/protobuf", protocol.value));
}

Result<std::string> read_url(const Variables& variable, const Found& endpoint, const Endpoint& read) {
  std::string url = endpoint.value;
  if (url.find("://") == url.npos) {
    const bool plain = lower(find(variable, read.signal, "INSECURE").value) == "true";
    url = fmt::format("{}://{}", plain ? "http" : "https", url);
  }
  const std::size_t host = url.find("://") + 3;
  const std::string scheme = lower(url.substr(0, host - 3));
  if (scheme != "http" && scheme != "https") {
    return wrong(endpoint.name, "it must begin with http:// or https://");
  }
  const std::size_t path = std::min(url.find_first_of("/?#", host), url.size());
  if (path == host) return wrong(endpoint.name, "it names no host");
  if (read.grpc) return url.substr(0, path) + std::string(of(read.signal).method);
  if (endpoint.of_signal) return path == url.size() ? url + "/" : url;
  while (url.ends_with('/')) url.pop_back();
  return url + std::string(of(read.signal).path);
}

Result<std::optional<Endpoint>> read_endpoint(const Variables& variable, Signal signal) {
  const Found endpoint = find(variable, signal, "ENDPOINT");
  if (endpoint.value.empty()) return std::nullopt;
  Endpoint read;
  read.signal = signal;
  TIPHYS_TRY(read.grpc, speaks_grpc(variable, signal));
  TIPHYS_TRY(read.url, read_url(variable, endpoint, read));
  const Found headers = find(variable, signal, "HEADERS");
  TIPHYS_TRY(read.headers, read_pairs(headers.name, headers.value));
  const Found timeout = find(variable, signal, "TIMEOUT");
  TIPHYS_TRY(read.timeout, read_milliseconds(timeout.name, timeout.value, read.timeout));
  TIPHYS_TRY(read.trusted_certificates, read_pem(variable, signal, "CERTIFICATE"));
  TIPHYS_TRY(read.client_certificate, read_pem(variable, signal, "CLIENT_CERTIFICATE"));
  TIPHYS_TRY(read.client_key, read_pem(variable, signal, "CLIENT_KEY"));
  return read;
}

}  // namespace

std::string_view signal_name(Signal signal) {
  return of(signal).name;
}

std::string Endpoint::shown() const {
  const std::size_t host = url.find("://") + 3;
  std::string authority = url.substr(host, url.find_first_of("/?#", host) - host);
  if (const auto at = authority.rfind('@'); at != authority.npos) authority.erase(0, at + 1);
  return url.substr(0, host) + authority;
}

Result<Settings> read_settings(const Variables& variable) {
  Settings settings;
  if (lower(std::string(trim(variable("OTEL_SDK_DISABLED")))) == "true") return settings;
  TIPHYS_TRY(settings.traces, read_endpoint(variable, Signal::kTraces));
  TIPHYS_TRY(settings.metrics, read_endpoint(variable, Signal::kMetrics));
  if (!settings.any()) return settings;
  constexpr const char* kResource = "OTEL_RESOURCE_ATTRIBUTES";
  TIPHYS_TRY(const web::Headers pairs, read_pairs(kResource, variable(kResource)));
  for (const auto& [key, value] : pairs) {
    if (key == "service.name") {
      settings.service_name = value;
    } else {
      settings.resource.emplace_back(key, value);
    }
  }
  if (std::string name(trim(variable("OTEL_SERVICE_NAME"))); !name.empty()) settings.service_name = std::move(name);
  const auto milliseconds = [&](const char* name, Duration& time) -> Status {
    TIPHYS_TRY(time, read_milliseconds(name, std::string(trim(variable(name))), time));
    return {};
  };
  TIPHYS_CHECK_OK(milliseconds("OTEL_BSP_SCHEDULE_DELAY", settings.span_delay));
  TIPHYS_CHECK_OK(milliseconds("OTEL_METRIC_EXPORT_INTERVAL", settings.metric_interval));
  TIPHYS_TRY(settings.most_spans, read_count(variable, "OTEL_BSP_MAX_QUEUE_SIZE", settings.most_spans));
  TIPHYS_TRY(settings.spans_of_request,
             read_count(variable, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", settings.spans_of_request));
  settings.spans_of_request = std::min(settings.spans_of_request, settings.most_spans);
  return settings;
}

}  // namespace tiphys::telemetry
