// Runs the CronJobs of a plane.
#pragma once

#include <memory>

#include "controllers/workloads/cron_job_plan.h"
#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers::workloads {

class CronJobController : public std::enable_shared_from_this<CronJobController> {
 public:
  /// `local` is the zone of those that name none.
  CronJobController(std::shared_ptr<PlaneView> view, expr::GoZone local)
      : view_(std::move(view)), local_(std::move(local)) {}

  /// Before the view starts.
  void start();

 private:
  void look_at_all();
  void look(const Name& name, WorkQueue::Finish finish);
  void carry_out(const cluster::Object& cron, CronJobPlan plan, WorkQueue::Finish finish);
  void write(const cluster::Object& cron, doc::Object status, WorkQueue::Finish finish);

  std::shared_ptr<PlaneView> view_;
  const expr::GoZone local_;
  std::shared_ptr<WorkQueue> queue_;
};

}  // namespace tiphys::controllers::workloads
