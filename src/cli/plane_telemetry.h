// What a plane tells collectors of OpenTelemetry, where the environment names one.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/executor.h"
#include "base/mailbox.h"
#include "base/random.h"
#include "controllers/controller_metrics.h"
#include "telemetry/exporter.h"
#include "web/http_client.h"

namespace tiphys::cli {

class PlaneTelemetry {
 public:
  using Collect = std::function<std::vector<telemetry::Metric>()>;

  /// Null when nothing is to be sent, or when the environment says it in a way that cannot be meant: the log tells.
  /// `collect` gives the metrics of the plane's controllers once those are there; `delta` is the configuration's
  /// temporality.
  static std::unique_ptr<PlaneTelemetry> make(Executor& executor, Random& random,
                                              std::shared_ptr<controllers::ControllerMetrics> metrics, Collect collect,
                                              bool delta);

  /// Null: no traces are wanted.
  telemetry::SpanSink* spans() { return exporter_->spans(); }
  /// Sends what is left. While the controllers are there.
  void close() { exporter_->close(); }

 private:
  std::unique_ptr<Mailbox> answers_;       ///< what http_ tells
  std::unique_ptr<web::HttpClient> http_;  ///< of its own: templates' requests hold up nothing here
  std::unique_ptr<telemetry::Exporter> exporter_;
};

}  // namespace tiphys::cli
