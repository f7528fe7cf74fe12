// Keeps Endpoints and EndpointSlices of the Services of a plane: where their pods are, and which are ready.
#pragma once

#include <memory>

#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers {

class EndpointsController : public std::enable_shared_from_this<EndpointsController> {
 public:
  EndpointsController(Executor& executor, cluster::Cluster& cluster)
      : view_(std::make_shared<workloads::PlaneView>(executor, cluster)) {}

  void start();

 private:
  using Finish = workloads::WorkQueue::Finish;

  void look_at_all();
  void on_service(const doc::Value& service);
  void on_pod(const doc::Value& pod);
  /// Pods, those of workflows too, are followed as soon as there is a Service that selects some.
  void follow_pods();
  void look(const workloads::Name& name, Finish finish);
  void remove_leftover(const workloads::Name& name, Finish finish);

  std::shared_ptr<workloads::PlaneView> view_;
  std::shared_ptr<workloads::Mirror> pods_;
  std::shared_ptr<workloads::WorkQueue> queue_;
};

}  // namespace tiphys::controllers
