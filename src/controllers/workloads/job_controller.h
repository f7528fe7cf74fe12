// Runs the Jobs of a plane.
#pragma once

#include <memory>

#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers::workloads {

class JobController : public std::enable_shared_from_this<JobController> {
 public:
  explicit JobController(std::shared_ptr<PlaneView> view) : view_(std::move(view)) {}

  /// Before the view starts.
  void start();

 private:
  void on_job(const cluster::Object& before, const cluster::Object& after);
  void on_pod(const cluster::Object& before, const cluster::Object& after);
  void look_at_all();
  void look(const Name& name, WorkQueue::Finish finish);
  void carry_out(const cluster::Object& job, struct JobPlan plan, const WorkQueue::Finish& finish);
  void release(const std::vector<cluster::Object>& pods, WorkQueue::Finish finish);
  void expire(const cluster::Object& job, WorkQueue::Finish finish);
  /// Lets a pod go whose Job is no more.
  void release_orphan(const cluster::Object& pod);

  std::shared_ptr<PlaneView> view_;
  std::shared_ptr<WorkQueue> queue_;
};

}  // namespace tiphys::controllers::workloads
