#include "controllers/workloads/workload_controllers.h"

#include "cluster/rare_resources.h"

namespace tiphys::controllers::workloads {

WorkloadControllers::WorkloadControllers(Executor& executor, cluster::Cluster& cluster, expr::GoZone local)
    : view_(std::make_shared<PlaneView>(executor, cluster)),
      jobs_(std::make_shared<JobController>(view_)),
      cron_jobs_(std::make_shared<CronJobController>(view_, std::move(local))),
      replica_sets_(std::make_shared<ReplicaSetController>(view_, cluster::kReplicaSets)),
      replication_controllers_(std::make_shared<ReplicaSetController>(view_, cluster::kReplicationControllers)),
      deployments_(std::make_shared<DeploymentController>(view_)),
      stateful_sets_(std::make_shared<StatefulSetController>(view_)),
      daemon_sets_(std::make_shared<DaemonSetController>(view_)),
      propagation_(std::make_shared<PropagationController>(view_)),
      disruptions_(std::make_shared<DisruptionController>(view_)) {}

void WorkloadControllers::start() {
  jobs_->start();
  cron_jobs_->start();
  replica_sets_->start();
  replication_controllers_->start();
  deployments_->start();
  stateful_sets_->start();
  daemon_sets_->start();
  propagation_->start();
  disruptions_->start();
  view_->start();
}

}  // namespace tiphys::controllers::workloads
