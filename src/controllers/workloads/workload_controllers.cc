#include "controllers/workloads/workload_controllers.h"

namespace tiphys::controllers::workloads {

WorkloadControllers::WorkloadControllers(Executor& executor, cluster::Cluster& cluster)
    : view_(std::make_shared<PlaneView>(executor, cluster)),
      jobs_(std::make_shared<JobController>(view_)),
      replica_sets_(std::make_shared<ReplicaSetController>(view_)),
      deployments_(std::make_shared<DeploymentController>(view_)),
      propagation_(std::make_shared<PropagationController>(view_)) {}

void WorkloadControllers::start() {
  jobs_->start();
  replica_sets_->start();
  deployments_->start();
  propagation_->start();
  view_->start();
}

}  // namespace tiphys::controllers::workloads
