#include "controllers/cron_plan.h"

#include <algorithm>

#include "controllers/names.h"

namespace tiphys::controllers {
namespace {

using expr::CronSchedule;

/// The latest of the times base + n * interval up to `until`, n from 1 on; `base` when there is none. Of whole seconds,
/// as schedules are: one that is due has no time of its own any more.
Time latest_of_interval(Time base, Duration interval, Time until) {
  base = std::chrono::floor<std::chrono::seconds>(base);
  return until <= base ? base : base + (until - base) / interval * interval;
}

/// The latest time after `after` and up to `until`. Looked for from the end, so that years of missed minutes cost
/// little.
std::optional<Time> latest(const CronSchedule& schedule, const expr::GoZone& local, Time after, Time until) {
  constexpr Duration kFirstLook = std::chrono::hours(1);
  constexpr int kFurther = 8;
  for (Duration back = kFirstLook;; back *= kFurther) {
    const bool all = until - after <= back;
    const Time from = all ? after : until - back;
    std::optional<Time> found;
    for (auto at = schedule.next(from, local); at && *at <= until; at = schedule.next(*at, local)) found = at;
    if (found || all) return found;
  }
}

}  // namespace

bool has_new_schedule(const api::CronWorkflow& cron) {
  const auto used = cron.annotations.find(std::string(kLastUsedScheduleAnnotation));
  return used == cron.annotations.end() || used->second != cron.schedules_text(true);
}

Time interval_base(const api::CronWorkflow& cron, Time changed) {
  if (!cron.annotations.contains(std::string(kLastUsedScheduleAnnotation))) return cron.created;
  const Time last = cron.status.last_scheduled;
  return has_new_schedule(cron) || last == Time{} ? changed : last;
}

Result<CronPlan> CronPlan::of(const api::CronWorkflow& cron, const expr::GoZone& local) {
  CronPlan plan;
  plan.local_ = local;
  for (const std::string& text : cron.zoned_schedules()) {
    TIPHYS_TRY(CronSchedule schedule, CronSchedule::parse(text));
    plan.schedules_.push_back(std::move(schedule));
  }
  return plan;
}

std::optional<Time> CronPlan::next(Time now, Time base) const {
  std::optional<Time> first;
  for (const CronSchedule& schedule : schedules_) {
    const auto interval = schedule.interval();
    const auto due = schedule.next(interval ? latest_of_interval(base, *interval, now) : now, local_);
    if (due && (!first || *due < *first)) first = due;
  }
  return first;
}

std::optional<Time> CronPlan::missed(Time last, Time now, Duration deadline) const {
  // A run that was due just as long ago is too late.
  const Time after = std::max(last, now - deadline);
  for (const CronSchedule& schedule : schedules_) {
    if (const auto interval = schedule.interval()) {
      const Time due = latest_of_interval(last, *interval, now);
      if (due > after) return due;
    } else if (const auto due = latest(schedule, local_, after, now)) {
      return due;
    }
  }
  return std::nullopt;
}

}  // namespace tiphys::controllers
