// Runs the DaemonSets of a plane.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "controllers/workloads/daemon_set_plan.h"
#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers::workloads {

class DaemonSetController : public std::enable_shared_from_this<DaemonSetController> {
 public:
  explicit DaemonSetController(std::shared_ptr<PlaneView> view) : view_(std::move(view)) {}

  /// Before the view starts.
  void start();

 private:
  void look_at_all();
  void on_part(const doc::Value& part);
  void look(const Name& name, WorkQueue::Finish finish);
  void carry_out(const cluster::Object& set, DaemonSetPlan plan, WorkQueue::Finish finish);
  /// False when its name is that of another template: then the next look makes another one of it.
  bool create_revision(const cluster::Object& set, doc::Value revision, doc::Object& status, Answers& answers);
  void remove_pod(const cluster::Object& set, const cluster::Object& pod, Answers& answers);

  std::shared_ptr<PlaneView> view_;
  std::shared_ptr<WorkQueue> queue_;
  std::map<std::string, int> failures_;  ///< by uid: pods that have failed in a row; forgotten by a restart
};

}  // namespace tiphys::controllers::workloads
