#include "controllers/workloads/cron_job_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "controllers/workloads/conditions.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"
#include "expr/cron_schedule.h"

namespace tiphys::controllers::workloads {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kMany = 100;  ///< so many missed times are told of

std::int64_t unix_seconds(Time time) {
  return std::chrono::floor<seconds>(time.time_since_epoch()).count();
}

bool has_ended(const doc::Value& job) {
  return holds(value_at(job, "status"), "Complete") || holds(value_at(job, "status"), "Failed");
}

/// As RFC 3339 has it, in the zone of the schedule.
std::string zoned(Time time, const expr::GoZone& zone) {
  expr::GoTime at = expr::from_time(time);
  at.zone = zone;
  const expr::CivilTime civil = expr::civil_time(at);
  const int minutes = civil.offset / 60;
  const std::string offset = minutes == 0 ? "Z"
                                          : fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+',
                                                        std::abs(minutes) / 60, std::abs(minutes) % 60);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", civil.year, civil.month, civil.day, civil.hour,
                     civil.minute, civil.second, offset);
}

/// "Mon, 02 Jan 2006 15:04:05 +0000"
std::string spelled(Time time) {
  const expr::CivilTime civil = expr::civil_time(expr::from_time(time));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", expr::weekday_name(civil.weekday).substr(0, 3),
                     civil.day, expr::month_name(civil.month).substr(0, 3), civil.year, civil.hour, civil.minute,
                     civil.second);
}

/// A schedule and the zone it goes by.
struct Clock {
  expr::CronSchedule schedule;
  expr::GoZone zone;

  std::optional<Time> next(Time after) const { return schedule.next(after, zone); }
};

/// The newest time at which a Job should have begun.
struct Due {
  Time earliest{};  ///< nothing before it is looked at
  std::optional<Time> newest{};
  bool any = false;
  bool many = false;
  bool never = false;  ///< there is no such day
};

Due newest_due(const Clock& clock, Time earliest, Time now) {
  Due due{.earliest = earliest};
  const auto first = clock.next(earliest);
  if (!first) {
    due.never = true;
    return due;
  }
  if (now < *first) return due;
  const auto second = clock.next(*first);
  if (second && now < *second) {
    due.newest = first;
    return due;
  }
  const std::int64_t gap = second ? unix_seconds(*second) - unix_seconds(*first) : 0;
  if (gap < 1) {
    due.never = true;
    return due;
  }
  // Not each of them is looked at: there may be years of them.
  const std::int64_t missed = (unix_seconds(now) - unix_seconds(*first)) / gap + 1;
  due.any = true;
  due.many = missed > kMany;
  for (auto at = clock.next(*first + seconds((missed - 2) * gap)); at && *at <= now; at = clock.next(*at)) {
    due.newest = at;
  }
  return due;
}

class Look {
 public:
  Look(const doc::Value& cron, const std::vector<cluster::Object>& jobs, Time now, const expr::GoZone& local)
      : cron_(cron), jobs_(jobs), now_(now), local_(local) {
    if (const doc::Value& status = value_at(cron, "status"); status.is_object()) plan_.status = status.get_object();
  }

  CronJobPlan make() {
    follow_jobs();
    if (!is_deleting(cron_)) {
      schedule();
      clean_up();
    }
    if (list_at(plan_.status, "active").empty()) plan_.status.erase("active");
    return std::move(plan_);
  }

 private:
  static const doc::Array& list_at(const doc::Object& object, std::string_view member) {
    static const doc::Array kNone;
    const doc::Value* found = object.if_contains(member);
    return found && found->is_array() ? found->get_array() : kNone;
  }
  void note(std::string_view type, std::string_view reason, std::string message) {
    plan_.notes.push_back({type, reason, std::move(message)});
  }
  bool is_active(const std::string& uid) const {
    return std::ranges::any_of(list_at(plan_.status, "active"),
                               [&](const doc::Value& one) { return doc::find_string(one, "uid") == uid; });
  }
  void drop_active(std::string_view uid) {
    doc::Array kept;
    for (const doc::Value& one : list_at(plan_.status, "active")) {
      if (doc::find_string(one, "uid") != uid) kept.push_back(one);
    }
    plan_.status["active"] = std::move(kept);
  }
  cluster::Object job_named(const std::string& name) const {
    const auto found = std::ranges::find_if(jobs_, [&](const auto& job) { return name_of(*job) == name; });
    return found == jobs_.end() ? nullptr : *found;
  }

  void follow_jobs() {
    for (const auto& job : jobs_) {
      const std::string uid = uid_of(*job);
      const bool known = is_active(uid);
      if (!has_ended(*job)) {
        // One of its own that a crash kept out of the status comes in when its time is looked at.
        if (!known)
          note("Warning", "UnexpectedJob", "Saw a job that the controller did not create or forgot: " + name_of(*job));
        continue;
      }
      const bool complete = holds(value_at(*job, "status"), "Complete");
      if (known) {
        drop_active(uid);
        note("Normal", "SawCompletedJob",
             fmt::format("Saw completed job: {}, condition: {}", name_of(*job), complete ? "Complete" : "Failed"));
      }
      const auto completed = doc::find_string(*job, "status", "completionTime");
      if (!complete || completed.empty()) continue;
      const auto newest = time_at(plan_.status, "lastSuccessfulTime");
      if (!newest || time_at(*job, "status", "completionTime") > newest) plan_.status["lastSuccessfulTime"] = completed;
    }
    const doc::Array active = list_at(plan_.status, "active");
    for (const doc::Value& one : active) {
      const auto uid = doc::find_string(one, "uid");
      if (std::ranges::any_of(jobs_, [&](const auto& job) { return uid_of(*job) == uid; })) continue;
      note("Normal", "MissingJob", fmt::format("Active job went missing: {}", doc::find_string(one, "name")));
      drop_active(uid);
    }
  }

  std::optional<Clock> clock() {
    const std::string zone_name(doc::find_string(cron_, "spec", "timeZone"));
    expr::GoZone zone = local_;
    if (!zone_name.empty()) {
      auto loaded = expr::load_zone(zone_name);
      if (!loaded) {
        note("Warning", "UnknownTimeZone",
             fmt::format("invalid timeZone: \"{}\": {}", zone_name, loaded.error().message));
        return std::nullopt;
      }
      zone = std::move(*loaded);
    }
    if (is_true_at(cron_, "spec", "suspend")) return std::nullopt;
    const std::string text(doc::find_string(cron_, "spec", "schedule"));
    auto schedule = expr::CronSchedule::parse(text);
    if (!schedule) {
      note("Warning", "UnparseableSchedule",
           fmt::format("unparseable schedule: \"{}\" : {}", text, schedule.error().message));
      return std::nullopt;
    }
    return Clock{std::move(*schedule), std::move(zone)};
  }

  void schedule() {
    const auto ticking = clock();
    if (!ticking) return;
    const auto created = time_at(cron_, "metadata", "creationTimestamp").value_or(now_);
    const Time last = time_at(plan_.status, "lastScheduleTime").value_or(created);
    Time earliest = last;
    const auto deadline = number_at(cron_, "spec", "startingDeadlineSeconds");
    if (deadline) earliest = std::max(earliest, now_ - seconds(*deadline));
    const Due due = newest_due(*ticking, earliest, now_);
    if (due.never) {
      note("Warning", "InvalidSchedule",
           fmt::format("invalid schedule: {} : time difference between two schedules is less than 1 second",
                       doc::find_string(cron_, "spec", "schedule")));
      return;
    }
    expect_next(*ticking, last);
    if (!due.newest) return;
    if (due.many) {
      note("Warning", "TooManyMissedTimes",
           "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
    }
    begin(*ticking, *due.newest, deadline);
  }

  void expect_next(const Clock& ticking, Time last) {
    const Due due = newest_due(ticking, last, now_);
    const Time from = due.never ? now_ : due.newest.value_or(due.any ? now_ : last);
    plan_.look_again = ticking.next(from);
  }

  void begin(const Clock& ticking, Time when, std::optional<std::int64_t> deadline) {
    if (deadline && when + seconds(*deadline) < now_) {
      return note("Warning", "MissSchedule", "Missed scheduled time to start a job: " + spelled(when));
    }
    const std::string scheduled = format_rfc3339(when);
    const std::string name = fmt::format("{}-{}", name_of(cron_), unix_seconds(when) / 60);
    const bool done = time_at(plan_.status, "lastScheduleTime") == when;
    if (const auto made = job_named(name)) {
      // What was made before a crash is not made again.
      if (done) return;
      if (!has_ended(*made) && !is_active(uid_of(*made))) add_active(plan_.status, *made, scheduled);
      plan_.status["lastScheduleTime"] = scheduled;
      return;
    }
    if (done) return;
    const auto policy = doc::find_string(cron_, "spec", "concurrencyPolicy");
    const doc::Array active = list_at(plan_.status, "active");
    if (policy == "Forbid" && !active.empty()) {
      return note("Normal", "JobAlreadyActive",
                  "Not starting job because prior execution is running and concurrency policy is Forbid");
    }
    if (policy == "Replace") {
      for (const doc::Value& one : active) {
        if (const auto job = job_named(std::string(doc::find_string(one, "name")))) remove(job);
      }
    }
    plan_.create = job_at(name, zoned(when, ticking.zone));
    plan_.scheduled = scheduled;
  }

  doc::Value job_at(const std::string& name, const std::string& scheduled) const {
    const doc::Value& made_of = value_at(cron_, "spec", "jobTemplate");
    doc::Object metadata;
    for (const char* member : {"labels", "annotations"}) {
      if (const doc::Value& given = value_at(made_of, "metadata", member); given.is_object()) metadata[member] = given;
    }
    doc::ensure_object(metadata, "annotations")["batch.kubernetes.io/cronjob-scheduled-timestamp"] = scheduled;
    metadata["name"] = name;
    metadata["namespace"] = namespace_of(cron_);
    metadata["ownerReferences"] = doc::Array{controller_reference(cluster::kCronJobs, cron_)};
    return doc::Object{{"metadata", std::move(metadata)}, {"spec", value_at(made_of, "spec")}};
  }

  void remove(const cluster::Object& job) {
    drop_active(uid_of(*job));
    note("Normal", "SuccessfulDelete", "Deleted job " + name_of(*job));
    plan_.remove.push_back(job);
  }

  void clean_up() {
    for (const auto& [member, condition] :
         {std::pair{"successfulJobsHistoryLimit", "Complete"}, {"failedJobsHistoryLimit", "Failed"}}) {
      const auto most = number_at(cron_, "spec", member);
      std::vector<cluster::Object> ended;
      for (const auto& job : jobs_) {
        if (!is_deleting(*job) && holds(value_at(*job, "status"), condition)) ended.push_back(job);
      }
      if (!most || std::ssize(ended) <= *most) continue;
      const auto age = [](const cluster::Object& job) {
        return std::pair(time_at(*job, "status", "startTime").value_or(Time::max()), name_of(*job));
      };
      std::ranges::sort(ended, {}, age);
      ended.resize(static_cast<std::size_t>(std::ssize(ended) - *most));
      for (const auto& job : ended) remove(job);
    }
  }

  const doc::Value& cron_;
  const std::vector<cluster::Object>& jobs_;
  const Time now_;
  const expr::GoZone& local_;
  CronJobPlan plan_;
};

}  // namespace

CronJobPlan plan_cron_job(const doc::Value& cron, const std::vector<cluster::Object>& jobs, Time now,
                          const expr::GoZone& local) {
  return Look(cron, jobs, now, local).make();
}

void add_active(doc::Object& status, const doc::Value& job, std::string_view scheduled) {
  doc::Value& active = status["active"];
  if (!active.is_array()) active = doc::Array();
  active.get_array().push_back(doc::Object{{"kind", cluster::kJobs.kind},
                                           {"namespace", namespace_of(job)},
                                           {"name", name_of(job)},
                                           {"uid", uid_of(job)},
                                           {"apiVersion", cluster::kJobs.api_version()},
                                           {"resourceVersion", doc::find_string(job, "metadata", "resourceVersion")}});
  status["lastScheduleTime"] = scheduled;
}

}  // namespace tiphys::controllers::workloads
