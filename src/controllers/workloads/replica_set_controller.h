// Runs the ReplicaSets of a plane.
#pragma once

#include <memory>

#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers::workloads {

class ReplicaSetController : public std::enable_shared_from_this<ReplicaSetController> {
 public:
  explicit ReplicaSetController(std::shared_ptr<PlaneView> view) : view_(std::move(view)) {}

  /// Before the view starts.
  void start();

 private:
  void look_at_all();
  void on_pod(const cluster::Object& before, const cluster::Object& after);
  void look(const Name& name, WorkQueue::Finish finish);

  std::shared_ptr<PlaneView> view_;
  std::shared_ptr<WorkQueue> queue_;
};

}  // namespace tiphys::controllers::workloads
