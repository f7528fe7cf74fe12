// Runs the StatefulSets of a plane.
#pragma once

#include <memory>

#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/stateful_set_plan.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers::workloads {

class StatefulSetController : public std::enable_shared_from_this<StatefulSetController> {
 public:
  explicit StatefulSetController(std::shared_ptr<PlaneView> view) : view_(std::move(view)) {}

  /// Before the view starts.
  void start();

 private:
  void look_at_all();
  void on_part(const doc::Value& part);
  void on_claim(const doc::Value& claim);
  void look(const Name& name, WorkQueue::Finish finish);
  void carry_out(const cluster::Object& set, StatefulSetPlan plan, WorkQueue::Finish finish);
  void note(const cluster::Object& set, std::string_view verb, std::string_view pod);

  std::shared_ptr<PlaneView> view_;
  std::shared_ptr<WorkQueue> queue_;
};

}  // namespace tiphys::controllers::workloads
