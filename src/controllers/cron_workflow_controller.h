// Runs the CronWorkflows of a plane: begins their workflows when they are due, and keeps their status and history.
#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "base/random.h"
#include "cluster/cluster.h"
#include "expr/go_time.h"

namespace tiphys::controllers {

class ControllerMetrics;

struct CronWorkflowControllerOptions {
  std::string ns;                                ///< "": all namespaces
  expr::GoZone local{};                          ///< the zone of schedules that name none
  doc::Shared workflow_defaults{};               ///< of the configuration; null: none
  std::shared_ptr<ControllerMetrics> metrics{};  ///< those of other controllers, too; null: of its own
  /// A failed write is tried again after the first delay, doubled up to the longest, until it holds.
  Duration first_retry = std::chrono::milliseconds(100);
  Duration longest_retry = std::chrono::seconds(30);
};

/// Everything happens on the executor's thread. One timer waits for the next time at which any is due. Destroying the
/// controller stops it where it is; a new one goes on from what the plane holds.
class CronWorkflowController {
 public:
  /// `random` is what expressions draw from.
  CronWorkflowController(Executor& executor, cluster::Cluster& cluster, Random& random,
                         CronWorkflowControllerOptions options = {});
  ~CronWorkflowController();
  CronWorkflowController(const CronWorkflowController&) = delete;
  CronWorkflowController& operator=(const CronWorkflowController&) = delete;

  void start();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::controllers
