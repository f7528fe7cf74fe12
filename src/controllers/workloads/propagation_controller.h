// Carries out foreground and orphan deletion of the kinds that own others (k8s.io/kubernetes/pkg/controller/
// garbagecollector): an object that is being deleted has a finalizer until its dependents are gone, or let go. What it
// owns when it is gone the store collects.
#pragma once

#include <map>
#include <memory>

#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers::workloads {

class PropagationController : public std::enable_shared_from_this<PropagationController> {
 public:
  explicit PropagationController(std::shared_ptr<PlaneView> view) : view_(std::move(view)) {}

  /// Before the view starts.
  void start();

 private:
  void look_at_all();
  void on_owner(const cluster::Resource& resource, const cluster::Object& object);
  /// Owners may wait for this one.
  void on_dependent(const cluster::Object& gone);
  void look(const cluster::Resource& resource, const Name& name, WorkQueue::Finish finish);
  void orphan(const cluster::Resource& resource, const cluster::Object& owner, WorkQueue::Finish finish);
  void remove_dependents(const cluster::Resource& resource, const cluster::Object& owner, WorkQueue::Finish finish);
  void drop(const cluster::Resource& resource, const cluster::Object& owner, std::string_view finalizer,
            WorkQueue::Finish finish);

  std::shared_ptr<PlaneView> view_;
  std::map<const cluster::Resource*, std::shared_ptr<WorkQueue>> queues_;
};

}  // namespace tiphys::controllers::workloads
