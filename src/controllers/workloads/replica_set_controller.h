// Runs the ReplicaSets of a plane, or its ReplicationControllers, which are the same with a selector of another form.
#pragma once

#include <memory>

#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers::workloads {

class ReplicaSetController : public std::enable_shared_from_this<ReplicaSetController> {
 public:
  /// `resource` is one of the two kinds.
  ReplicaSetController(std::shared_ptr<PlaneView> view, const cluster::Resource& resource)
      : view_(std::move(view)), resource_(resource) {}

  /// Before the view starts.
  void start();

 private:
  void look_at_all();
  void on_pod(const cluster::Object& before, const cluster::Object& after);
  void look(const Name& name, WorkQueue::Finish finish);
  doc::Value selector_of(const doc::Value& object) const;

  std::shared_ptr<PlaneView> view_;
  const cluster::Resource& resource_;
  std::shared_ptr<WorkQueue> queue_;
};

}  // namespace tiphys::controllers::workloads
