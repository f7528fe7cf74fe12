#include "controllers/workloads/workload_controllers.h"

namespace tiphys::controllers::workloads {

WorkloadControllers::WorkloadControllers(Executor& executor, cluster::Cluster& cluster)
    : view_(std::make_shared<PlaneView>(executor, cluster)), jobs_(std::make_shared<JobController>(view_)) {}

void WorkloadControllers::start() {
  jobs_->start();
  view_->start();
}

}  // namespace tiphys::controllers::workloads
