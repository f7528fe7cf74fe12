// When a CronWorkflow is due, and which run it has missed.
#pragma once

#include <optional>
#include <vector>

#include "api/cron_workflow.h"
#include "expr/cron_schedule.h"

namespace tiphys::controllers {

/// Where "@every" counts from: the last run of these schedules, else when they came: `changed`, or with the object.
Time interval_base(const api::CronWorkflow& cron, Time changed);
/// True when its schedules have not been used yet: no run of theirs can have been missed.
bool has_new_schedule(const api::CronWorkflow& cron);

class CronPlan {
 public:
  /// Nothing is due of one that has no schedule. `local` is the zone of schedules that name none.
  static Result<CronPlan> of(const api::CronWorkflow& cron, const expr::GoZone& local);

  /// The first time after `now` at which a schedule is due. "@every" counts from `base` on.
  std::optional<Time> next(Time now, Time base) const;

  /// The latest time after `last` and up to `now` at which the first schedule that has one was due, when it is no more
  /// than `deadline` ago. Earlier ones are passed over for good.
  std::optional<Time> missed(Time last, Time now, Duration deadline) const;

 private:
  std::vector<expr::CronSchedule> schedules_;
  expr::GoZone local_;
};

}  // namespace tiphys::controllers
