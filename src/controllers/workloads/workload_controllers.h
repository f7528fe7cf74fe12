// The controllers of Kubernetes' own kinds that make pods, together.
#pragma once

#include <memory>

#include "controllers/workloads/job_controller.h"
#include "controllers/workloads/plane_view.h"

namespace tiphys::controllers::workloads {

/// Everything happens on the executor's thread. Destroying them stops them where they are; new ones go on from what the
/// plane holds.
class WorkloadControllers {
 public:
  WorkloadControllers(Executor& executor, cluster::Cluster& cluster);

  void start();

 private:
  std::shared_ptr<PlaneView> view_;
  std::shared_ptr<JobController> jobs_;
};

}  // namespace tiphys::controllers::workloads
