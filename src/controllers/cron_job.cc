#include "controllers/cron_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "controllers/names.h"

namespace tiphys::controllers {
namespace {

/// A century: what goes beyond does not fit into a time.
constexpr std::int64_t kLongestDeadlineSeconds = 100LL * 365 * 24 * 3600;

}  // namespace

CronJob::CronJob(CronEnvironment& environment, cluster::Key key, std::move_only_function<void()> on_due)
    : environment_(environment),
      key_(std::move(key)),
      on_due_(std::move(on_due)),
      events_(environment.executor, environment.cluster) {}

void CronJob::observe(const cluster::Object& object) {
  std::uint64_t version = 0;
  const std::string_view text = doc::find_string(*object, "metadata", "resourceVersion");
  std::from_chars(text.data(), text.data() + text.size(), version);
  if (version <= version_) return;
  version_ = version;
  const doc::Value* before = cron_.document ? doc::find(*cron_.document, "spec") : nullptr;
  const doc::Value* after = doc::find(*object, "spec");
  if (!before || !after || *before != *after) given_up_.reset();
  tried_.reset();
  std::vector<api::Finding> findings;
  cron_ = api::parse_cron_workflow(*object, findings);
  cron_.status = api::read_cron_workflow_status(*object);
  cron_.uid = doc::find_string(*object, "metadata", "uid");
  read_plan(findings);
}

void CronJob::read_plan(const std::vector<api::Finding>& findings) {
  const auto error = std::ranges::find_if(findings, &api::Finding::is_error);
  spec_error_ = error == findings.end() ? "" : error->message;
  if (!spec_error_.empty()) {
    events_.record({key_.resource, key_.ns, key_.name, cron_.uid},
                   {.warning = true, .reason = "Malformed", .message = spec_error_});
    events_.write();
  }
  if (spec_error_.empty()) {
    auto plan = CronPlan::of(cron_, environment_.local);
    if (plan) {
      plan_ = std::move(*plan);
    } else {
      spec_error_ = plan.error().message;
    }
  }
  if (!spec_error_.empty()) plan_.reset();
  const Time now = environment_.executor.now();
  const std::string schedules = cron_.schedules_text(true);
  if (planned_ != schedules) {
    planned_ = schedules;
    changed_ = now;
    due_.reset();
  }
  // A time that has come stays due, whatever else changes.
  if (!plan_ || completed() || !due_ || *due_ > now) plan_next();
}

void CronJob::plan_next() {
  due_.reset();
  if (plan_ && !completed()) due_ = plan_->next(environment_.executor.now(), interval_base(cron_, changed_));
  on_due_();
}

bool CronJob::completed() const {
  const auto label = cron_.labels.find(std::string(kCronCompletedLabel));
  return label != cron_.labels.end() && label->second == "true";
}

CronAmbient CronJob::ambient() {
  return {{.now = environment_.executor.now(), .random = &environment_.random}, environment_.local};
}

void CronJob::children_changed() {
  tried_.reset();
  go_on();
}

void CronJob::go_on() {
  if (busy_ || !cron_.document) return;
  if (update_status() || !plan_) return;
  if (remove_surplus() || completed()) return;
  if (!pending_ && due_ && *due_ <= environment_.executor.now()) {
    pending_ = due_;
    plan_next();
  }
  if (!pending_) pending_ = missed_run();
  // What has run has run, also when the clock was set back.
  if (pending_ && *pending_ <= cron_.status.last_scheduled) pending_.reset();
  if (pending_) attempt(*pending_);
}

/// The original's rule: the latest run that was missed, within startingDeadlineSeconds, once the schedules have been
/// used.
std::optional<Time> CronJob::missed_run() {
  if (!cron_.starting_deadline_seconds || cron_.status.last_scheduled == Time{} || has_new_schedule(cron_))
    return std::nullopt;
  const auto deadline =
      std::chrono::seconds(std::min<std::int64_t>(*cron_.starting_deadline_seconds, kLongestDeadlineSeconds));
  const auto missed = plan_->missed(cron_.status.last_scheduled, environment_.executor.now(), deadline);
  return missed == tried_ || missed == given_up_ ? std::nullopt : missed;
}

/// True when there is something to write.
bool CronJob::update_status() {
  api::CronWorkflowStatus status = cron_.status;
  if (reconcile(status, children())) {
    const auto stop = wants_stop(cron_, status, ambient());
    if (stop && *stop) status.phase = "Stopped";
    if (!stop) log::warn("cron workflow {}/{}: {}", key_.ns, key_.name, stop.error().message);
  }
  if (!spec_error_.empty()) status.set_condition(kSpecError, spec_error_);
  if (status == cron_.status) return false;
  doc::Object annotations;
  if (used_schedules(status)) annotations[kLastUsedScheduleAnnotation] = cron_.schedules_text(true);
  busy_ = true;
  write(status, {}, std::move(annotations), &CronJob::finished);
  return true;
}

/// A run that `status` knows of since now was of the schedules as they are. A run's own note says so too; it can be
/// lost to a crash or a failing disk.
bool CronJob::used_schedules(const api::CronWorkflowStatus& status) const {
  if (status.last_scheduled <= cron_.status.last_scheduled || !has_new_schedule(cron_)) return false;
  return changed_ <= status.last_scheduled || !cron_.annotations.contains(std::string(kLastUsedScheduleAnnotation));
}

/// True when workflows are on their way out.
bool CronJob::remove_surplus() {
  const std::vector<CronChild> surplus = beyond_history(cron_, children());
  if (surplus.empty()) return false;
  busy_ = true;
  answers_ = surplus.size();
  failure_.reset();
  for (const CronChild& child : surplus) {
    environment_.cluster.remove({&cluster::kWorkflows, key_.ns, child.name}, {.uid = child.uid},
                                guarded([uid = child.uid](CronJob& self, const Result<cluster::Object>& answer) {
                                  const bool gone = answer || answer.error().code == Code::kNotFound;
                                  if (gone) self.children().erase(uid);
                                  if (!gone) self.failure_ = answer.error();
                                  if (--self.answers_ > 0) return;
                                  if (self.failure_) return self.try_again(*self.failure_);
                                  self.finished();
                                }));
  }
  return true;
}

void CronJob::write(const api::CronWorkflowStatus& status, doc::Object labels, doc::Object annotations, Next next) {
  doc::Object patch{{"status", api::to_json(status)}};
  doc::Object metadata;
  if (!labels.empty()) metadata["labels"] = std::move(labels);
  if (!annotations.empty()) metadata["annotations"] = std::move(annotations);
  if (!metadata.empty()) patch["metadata"] = std::move(metadata);
  environment_.cluster.patch(
      key_, cluster::PatchType::kMerge, std::move(patch),
      guarded([next](CronJob& self, const Result<cluster::Object>& answer) { self.wrote(answer, next); }));
}

void CronJob::wrote(const Result<cluster::Object>& answer, Next next) {
  if (!answer && answer.error().code != Code::kNotFound) return try_again(answer.error());
  if (!answer) return;  // the watch tells that it is gone
  const std::optional<Time> tried = tried_;
  observe(*answer);
  tried_ = tried;
  (this->*next)();
}

void CronJob::finished() {
  retry_delay_ = Duration::zero();
  busy_ = false;
  go_on();
}

void CronJob::try_again(const Error& error) {
  log::warn("cron workflow {}/{}: {}; trying again", key_.ns, key_.name, error.message);
  retry_delay_ = retry_delay_ == Duration::zero() ? environment_.first_retry
                                                  : std::min(retry_delay_ * 2, environment_.longest_retry);
  environment_.executor.schedule(environment_.executor.now() + retry_delay_, guarded([](CronJob& self) {
                                   self.busy_ = false;
                                   self.go_on();
                                 }));
}

}  // namespace tiphys::controllers
