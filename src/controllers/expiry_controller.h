// Deletes finished workflows when their time is over (spec.ttlStrategy) or there are too many of them
// (retentionPolicy), and pods (spec.podGC).
#pragma once

#include <memory>
#include <string>

#include "api/controller_config.h"
#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::controllers {

struct ExpiryControllerOptions {
  std::string ns;  ///< "": all namespaces
  /// A failed deletion is tried again after this.
  Duration retry = std::chrono::seconds(10);
  std::optional<api::ControllerConfig::Retention> retention{};
};

/// Everything happens on the executor's thread. One timer waits for the first that is due. A start reads what will
/// expire, and all that has ended only where their number is limited.
class ExpiryController {
 public:
  ExpiryController(Executor& executor, cluster::Cluster& cluster, ExpiryControllerOptions options = {});
  ~ExpiryController();
  ExpiryController(const ExpiryController&) = delete;
  ExpiryController& operator=(const ExpiryController&) = delete;

  void start();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::controllers
