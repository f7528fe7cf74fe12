// Runs the workflows of a plane: the connection of engine and cluster.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/controller_config.h"
#include "artifact/stores.h"
#include "base/executor.h"
#include "base/random.h"
#include "cluster/cluster.h"
#include "telemetry/metric.h"
#include "web/http_client.h"

namespace tiphys::telemetry {
class SpanSink;
}

namespace tiphys::controllers {

class ControllerMetrics;

struct WorkflowControllerOptions {
  std::string ns;  ///< "": all namespaces
  api::ControllerConfig config{};
  /// A failed write (disk full, conflict) is tried again after the first delay, doubled up to the longest, until it
  /// holds.
  Duration first_retry = std::chrono::milliseconds(100);
  Duration longest_retry = std::chrono::seconds(30);
  web::HttpClient* http = nullptr;               ///< makes the requests of http templates; null: they fail
  artifact::Stores* stores = nullptr;            ///< what data templates list; null: they fail
  std::shared_ptr<ControllerMetrics> metrics{};  ///< those of other controllers, too; null: of its own
  telemetry::SpanSink* spans = nullptr;          ///< where traces of workflows go; null: nowhere
};

/// Everything happens on the executor's thread. Destroying the controller stops it where it is; a new one goes on from
/// what the plane holds.
class WorkflowController {
 public:
  /// `random` is what expressions draw from.
  WorkflowController(Executor& executor, cluster::Cluster& cluster, Random& random,
                     WorkflowControllerOptions options = {});
  ~WorkflowController();
  WorkflowController(const WorkflowController&) = delete;
  WorkflowController& operator=(const WorkflowController&) = delete;

  /// Begins to watch. `on_ready` is called once every workflow that was unfinished has been taken up again.
  void start(std::move_only_function<void()> on_ready = {});

  /// Workflows in memory: the unfinished ones.
  std::size_t live_runs() const;

  /// Its own metrics and what workflows have emitted, in Prometheus' text format.
  std::string metrics() const;
  /// The same for OpenTelemetry.
  std::vector<telemetry::Metric> collect_metrics() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::controllers
