// The controllers of Kubernetes' own kinds that make pods, and of those that count them, together.
#pragma once

#include <memory>

#include "controllers/workloads/cron_job_controller.h"
#include "controllers/workloads/daemon_set_controller.h"
#include "controllers/workloads/deployment_controller.h"
#include "controllers/workloads/disruption_controller.h"
#include "controllers/workloads/job_controller.h"
#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/propagation_controller.h"
#include "controllers/workloads/replica_set_controller.h"
#include "controllers/workloads/stateful_set_controller.h"

namespace tiphys::controllers::workloads {

/// Everything happens on the executor's thread. Destroying them stops them where they are; new ones go on from what the
/// plane holds.
class WorkloadControllers {
 public:
  /// `local` is the zone of CronJobs that name none.
  WorkloadControllers(Executor& executor, cluster::Cluster& cluster, expr::GoZone local = {});

  void start();

 private:
  std::shared_ptr<PlaneView> view_;
  std::shared_ptr<JobController> jobs_;
  std::shared_ptr<CronJobController> cron_jobs_;
  std::shared_ptr<ReplicaSetController> replica_sets_, replication_controllers_;
  std::shared_ptr<DeploymentController> deployments_;
  std::shared_ptr<StatefulSetController> stateful_sets_;
  std::shared_ptr<DaemonSetController> daemon_sets_;
  std::shared_ptr<PropagationController> propagation_;
  std::shared_ptr<DisruptionController> disruptions_;
};

}  // namespace tiphys::controllers::workloads
