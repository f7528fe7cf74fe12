#include "cli/plane_telemetry.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/log.h"
#include "cli/place.h"
#include "doc/value.h"
#include "server/version.h"
#include "web/exchange.h"

namespace tiphys::cli {
namespace {

/// Of the original's controller: what its dashboards ask for.
constexpr const char* kService = "workflows-controller";

/// What is known of this process, and what the environment says in place of that or beside it.
telemetry::Attributes resource_of(const telemetry::Settings& settings) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {};
  std::error_code unreadable;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unreadable);
  telemetry::Attributes attributes{
      {"service.name", settings.service_name.empty() ? kService : settings.service_name},
      {"service.version", std::string(doc::find_string(server::argo_version(), "version"))},
      {"telemetry.sdk.name", "tiphys"},
      {"telemetry.sdk.language", "cpp"},
      {"telemetry.sdk.version", std::string(server::version())},
      {"process.pid", static_cast<std::int64_t>(::getpid())},
      {"process.executable.name", program.filename().string()},
      {"process.executable.path", program.string()},
      {"os.type", "linux"},
      {"host.name", std::string(host.data())},
  };
  for (const auto& [key, value] : settings.resource) {
    std::erase_if(attributes, [&](const auto& known) { return known.first == key; });
    attributes.emplace_back(key, value);
  }
  return attributes;
}

void tell(const std::optional<telemetry::Endpoint>& endpoint) {
  if (!endpoint) return;
  log::info("{} go to {} by {}", telemetry::signal_name(endpoint->signal), endpoint->shown(),
            endpoint->grpc ? "gRPC" : "HTTP");
}

}  // namespace

std::unique_ptr<PlaneTelemetry> PlaneTelemetry::make(Executor& executor, Random& random,
                                                     std::shared_ptr<controllers::ControllerMetrics> metrics,
                                                     Collect collect, bool delta) {
  auto settings = telemetry::read_settings([](const std::string& name) { return environment(name.c_str()); });
  if (!settings) {
    log::warn("no traces and metrics are sent: {}", settings.error().message);
    return nullptr;
  }
  if (!settings->any()) return nullptr;
  tell(settings->traces);
  tell(settings->metrics);
  auto made = std::make_unique<PlaneTelemetry>();
  made->answers_ = std::make_unique<Mailbox>(executor);
  made->http_ = web::make_http_client(*made->answers_, web::this_environment());
  telemetry::Attributes resource = resource_of(*settings);
  made->exporter_ = std::make_unique<telemetry::Exporter>(telemetry::ExporterParts{
      .executor = executor,
      .http = *made->http_,
      .random = random,
      .settings = std::move(*settings),
      .resource = std::move(resource),
      .scope = kService,
      .delta = delta,
      .collect = std::move(collect),
      .dropped = [metrics = std::move(metrics)](
                     telemetry::Signal signal,
                     std::size_t items) { metrics->telemetry_dropped(telemetry::signal_name(signal), items); },
      .exchange =
          [way = web::this_environment()](web::HttpRequest request) { return web::exchange(std::move(request), way); },
      .wait = [&answers = *made->answers_](const std::function<bool()>& done,
                                           Duration most) { answers.run_until(done, most); }});
  return made;
}

}  // namespace tiphys::cli
