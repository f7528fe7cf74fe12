#include "telemetry/settings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>

namespace tiphys::telemetry {
namespace {

using Variables = std::map<std::string, std::string>;

Result<Settings> read(const Variables& variables) {
  return read_settings([&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

/// "grpc URL", "http URL" or "".
std::string shown(const std::optional<Endpoint>& endpoint) {
  if (!endpoint) return "";
  return fmt::format("{} {}", endpoint->grpc ? "grpc" : "http", endpoint->url);
}

constexpr const char* kTraceMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
constexpr const char* kMetricMethod = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

TEST(Settings, SayWhereSignalsGo) {
  struct Row {
    const char* name;
    Variables variables;
    std::string traces, metrics;
  };
  const Row rows[] = {
      {"nowhere by themselves", {}, "", ""},
      {"a blank variable is none", {{"OTEL_EXPORTER_OTLP_ENDPOINT", " "}}, "", ""},
      {"by gRPC unless it is said",
       {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317/whatever"}},
       std::string("grpc http://c:4317") + kTraceMethod,
       std::string("grpc http://c:4317") + kMetricMethod},
      {"by HTTP below the common endpoint",
       {{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c/otlp/"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}},
       "http https://c/otlp/v1/traces",
       "http https://c/otlp/v1/metrics"},
      {"by HTTP to a signal's own endpoint as it is",
       {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:4318"},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m/push"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}},
       "http http://t:4318/",
       "http http://m/push"},
      {"one signal alone",
       {{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:1"}},
       "",
       std::string("grpc http://m:1") + kMetricMethod},
      {"a signal's own variables go first",
       {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:4317"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"},
        {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"}},
       std::string("grpc http://t:4317") + kTraceMethod,
       "http http://c:4318/v1/metrics"},
      {"TLS where no scheme says otherwise",
       {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "c:4317"}},
       std::string("grpc https://c:4317") + kTraceMethod,
       ""},
      {"or the variable for that",
       {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "127.0.0.1:4317"}, {"OTEL_EXPORTER_OTLP_INSECURE", "True"}},
       std::string("grpc http://127.0.0.1:4317") + kTraceMethod,
       ""},
      {"nowhere when it is all disabled",
       {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"}, {"OTEL_SDK_DISABLED", "TRUE"}},
       "",
       ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto settings = read(row.variables);
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(shown(settings->traces), row.traces);
    EXPECT_EQ(shown(settings->metrics), row.metrics);
    EXPECT_EQ(settings->any(), !row.traces.empty() || !row.metrics.empty());
  }
}

TEST(Settings, HaveWhatIsSentAlong) {
  const std::string path = testing::TempDir() + "telemetry-settings.pem";
  std::ofstream(path) << "PEM";
  const auto settings = read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@c:4317/x"},
                              {"OTEL_EXPORTER_OTLP_HEADERS", "api-key = a%20b ,x=1=2,"},
                              {"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "only=metrics"},
                              {"OTEL_EXPORTER_OTLP_TIMEOUT", "250"},
                              {"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "0"},
                              {"OTEL_EXPORTER_OTLP_CERTIFICATE", path},
                              {"OTEL_RESOURCE_ATTRIBUTES", "service.name=other,team=m%2Cl"},
                              {"OTEL_SERVICE_NAME", "mine"},
                              {"OTEL_BSP_SCHEDULE_DELAY", "10"},
                              {"OTEL_BSP_MAX_QUEUE_SIZE", "3"},
                              {"OTEL_METRIC_EXPORT_INTERVAL", "2000"}});
  std::remove(path.c_str());
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->traces->headers, (web::Headers{{"api-key", "a b"}, {"x", "1=2"}}));
  EXPECT_EQ(settings->metrics->headers, (web::Headers{{"only", "metrics"}}));
  EXPECT_EQ(settings->traces->timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(settings->metrics->timeout, std::chrono::seconds(10)) << "0 is as good as unset";
  EXPECT_EQ(settings->traces->trusted_certificates, "PEM");
  EXPECT_EQ(settings->traces->shown(), "http://c:4317");
  EXPECT_EQ(settings->service_name, "mine");
  EXPECT_EQ(settings->resource, (Attributes{{"team", "m,l"}}));
  EXPECT_EQ(settings->span_delay, std::chrono::milliseconds(10));
  EXPECT_EQ(settings->most_spans, 3u);
  EXPECT_EQ(settings->spans_of_request, 3u) << "no more than can wait";
  EXPECT_EQ(settings->metric_interval, std::chrono::seconds(2));
}

TEST(Settings, ThatCannotBeMeantAreErrors) {
  struct Row {
    const char *variable, *value, *error;
  };
  const Row rows[] = {
      {"OTEL_EXPORTER_OTLP_PROTOCOL", "thrift", "\"thrift\" is neither grpc nor http/protobuf"},
      {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "unix:///tmp/x", "it must begin with http:// or https://"},
      {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http:///v1", "it names no host"},
      {"OTEL_EXPORTER_OTLP_HEADERS", "key", "it must be NAME=VALUE,NAME=VALUE"},
      {"OTEL_RESOURCE_ATTRIBUTES", "=x", "it must be NAME=VALUE,NAME=VALUE"},
      {"OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "it must be a number of milliseconds, a day at most"},
      {"OTEL_METRIC_EXPORT_INTERVAL", "-1", "it must be a number of milliseconds, a day at most"},
      {"OTEL_BSP_MAX_QUEUE_SIZE", "0", "it must be 1 to 1000000"},
  };
  for (const Row& row : rows) {
    Variables variables{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}};
    variables[row.variable] = row.value;
    const auto settings = read(variables);
    ASSERT_FALSE(settings) << row.variable;
    EXPECT_EQ(settings.error().message, fmt::format("{}: {}", row.variable, row.error));
  }
  EXPECT_FALSE(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/file"}}));
}

}  // namespace
}  // namespace tiphys::telemetry
