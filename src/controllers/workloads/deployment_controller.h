// Runs the Deployments of a plane.
#pragma once

#include <memory>

#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers::workloads {

class DeploymentController : public std::enable_shared_from_this<DeploymentController> {
 public:
  explicit DeploymentController(std::shared_ptr<PlaneView> view) : view_(std::move(view)) {}

  /// Before the view starts.
  void start();

 private:
  void look_at_all();
  void on_replica_set(const doc::Value& set);
  void look(const Name& name, WorkQueue::Finish finish);
  void carry_out(const cluster::Object& deployment, struct DeploymentPlan plan, WorkQueue::Finish finish);
  /// Another ReplicaSet has the name: the next one gets another.
  void count_collision(const cluster::Object& deployment, cluster::Done<cluster::Object> done);

  std::shared_ptr<PlaneView> view_;
  std::shared_ptr<WorkQueue> queue_;
};

}  // namespace tiphys::controllers::workloads
