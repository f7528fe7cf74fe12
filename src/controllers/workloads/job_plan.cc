#include "controllers/workloads/job_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "controllers/workloads/conditions.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/index_set.h"
#include "controllers/workloads/job_pods.h"
#include "controllers/workloads/pod_failure_policy.h"
#include "controllers/workloads/pods.h"

namespace tiphys::controllers::workloads {
namespace {

/// Of creations and removals in one look, and of uids that wait to be counted.
constexpr std::size_t kMostPodsAtOnce = 500;
constexpr Duration kFirstBackoff = std::chrono::seconds(10);
constexpr Duration kLongestBackoff = std::chrono::minutes(10);

struct Outcome {
  bool success = false;
  std::string reason, message;
};

std::set<std::string, std::less<>> uids(const doc::Value& status, std::string_view which) {
  std::set<std::string, std::less<>> found;
  for (const doc::Value& uid : list_at(status, "uncountedTerminatedPods", which)) {
    if (uid.is_string()) found.emplace(uid.get_string());
  }
  return found;
}

/// One look at a Job.
class Look {
 public:
  Look(const doc::Value& job, const std::vector<cluster::Object>& pods, Time now)
      : job_(job),
        pods_(pods),
        now_(now),
        uncounted_succeeded_(uids(value_at(job, "status"), "succeeded")),
        uncounted_failed_(uids(value_at(job, "status"), "failed")) {
    const doc::Value& status = value_at(job, "status");
    if (status.is_object()) plan_.status = status.get_object();
    completions_ = number_at(job, "spec", "completions");
    const auto parallelism = number_at(job, "spec", "parallelism");
    if (!completions_ && !parallelism) completions_ = 1;
    parallelism_ = parallelism.value_or(1);
    indexed_ = doc::find_string(job, "spec", "completionMode") == "Indexed" && completions_;
    suspended_ = is_true_at(job, "spec", "suspend");
    replaces_failed_only_ = doc::find_string(job, "spec", "podReplacementPolicy") == "Failed";
  }

  JobPlan make() {
    begin();
    count();
    judge();
    if (outcome_) {
      plan_.remove = active_pods();
      active_ = 0;
      ready_ = 0;
      terminating_ += static_cast<std::int64_t>(plan_.remove.size());
    } else if (!is_deleting(job_)) {
      steer();
      judge_success();
      if (!outcome_) tell_suspension();
    }
    collect();
    write_status();
    return std::move(plan_);
  }

 private:
  doc::Value status_value() const { return plan_.status; }

  std::vector<cluster::Object> active_pods() const {
    std::vector<cluster::Object> found;
    std::ranges::copy_if(pods_, std::back_inserter(found), [](const auto& pod) { return is_active(*pod); });
    return found;
  }

  /// A pod that is removed before it ended has failed, unless its end is waited for.
  bool failed(const doc::Value& pod) const {
    const auto phase = doc::find_string(pod, "status", "phase");
    if (phase == "Failed") return true;
    return !replaces_failed_only_ && is_deleting(pod) && phase != "Succeeded";
  }
  bool counts_as_failed(const doc::Value& pod) const {
    return judge_failure(value_at(job_, "spec", "podFailurePolicy"), pod).counts;
  }
  bool has_valid_index(const doc::Value& pod) const {
    const auto index = completion_index(pod);
    return !indexed_ || (index && *index < *completions_);
  }

  void begin() {
    if (!plan_.status.contains("startTime") && !suspended_) plan_.status["startTime"] = format_rfc3339(now_);
    for (const auto& pod : pods_) {
      if (is_active(*pod)) {
        ++active_;
        if (is_ready(*pod)) ++ready_;
      }
      if (is_terminating(*pod)) ++terminating_;
    }
  }

  /// What has succeeded and failed, counted or not.
  void count() {
    succeeded_ = number_at(job_, "status", "succeeded").value_or(0);
    failed_ = number_at(job_, "status", "failed").value_or(0);
    succeeded_ += static_cast<std::int64_t>(uncounted_succeeded_.size());
    failed_ += static_cast<std::int64_t>(uncounted_failed_.size());
    if (indexed_) indexes_ = IndexSet::parse(doc::find_string(job_, "status", "completedIndexes"), *completions_);
    for (const auto& pod : pods_) {
      if (!has_tracking_finalizer(*pod) || !has_valid_index(*pod)) continue;
      if (doc::find_string(*pod, "status", "phase") == "Succeeded") {
        if (indexed_) indexes_.insert(*completion_index(*pod));
        if (!uncounted_succeeded_.contains(uid_of(*pod))) ++succeeded_;
      } else if (failed(*pod) && !uncounted_failed_.contains(uid_of(*pod)) && counts_as_failed(*pod)) {
        ++failed_;
      }
    }
    if (indexed_) succeeded_ = indexes_.size();
  }

  /// Whether it is decided that the Job ends, from before or from now on.
  void judge() {
    const doc::Value status = status_value();
    if (const doc::Value* met = find_condition(status, "SuccessCriteriaMet");
        met && holds(status, "SuccessCriteriaMet")) {
      outcome_ = outcome_of(true, *met);
      return;
    }
    if (const doc::Value* target = find_condition(status, "FailureTarget"); target && holds(status, "FailureTarget")) {
      outcome_ = outcome_of(false, *target);
      return;
    }
    for (const auto& pod : pods_) {
      if (!failed(*pod)) continue;
      const auto verdict = judge_failure(value_at(job_, "spec", "podFailurePolicy"), *pod);
      if (verdict.fails_job.empty()) continue;
      outcome_ = Outcome{false, "PodFailurePolicy", verdict.fails_job};
      return;
    }
    const std::int64_t limit = number_at(job_, "spec", "backoffLimit").value_or(6);
    if (failed_ > limit || restarted_too_often(limit)) {
      outcome_ = Outcome{false, "BackoffLimitExceeded", "Job has reached the specified backoff limit"};
      return;
    }
    judge_deadline();
  }

  static Outcome outcome_of(bool success, const doc::Value& condition) {
    return {success, std::string(doc::find_string(condition, "reason")),
            std::string(doc::find_string(condition, "message"))};
  }

  bool restarted_too_often(std::int64_t limit) const {
    if (doc::find_string(job_, "spec", "template", "spec", "restartPolicy") != "OnFailure") return false;
    std::int64_t restarts = 0;
    for (const auto& pod : pods_) {
      const auto phase = doc::find_string(*pod, "status", "phase");
      if (phase != "Running" && phase != "Pending") continue;
      for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
        for (const doc::Value& status : list_at(*pod, "status", list)) {
          restarts += number_at(status, "restartCount").value_or(0);
        }
      }
    }
    return limit == 0 ? restarts > 0 : restarts >= limit;
  }

  void judge_deadline() {
    const auto seconds = number_at(job_, "spec", "activeDeadlineSeconds");
    const auto start = time_at(status_value(), "startTime");
    if (!seconds || !start || suspended_) return;
    const Time deadline = *start + std::chrono::seconds(*seconds);
    if (deadline <= now_) {
      outcome_ = Outcome{false, "DeadlineExceeded", "Job was active longer than specified deadline"};
    } else {
      look_again(deadline);
    }
  }

  void judge_success() {
    const bool enough = completions_ ? succeeded_ >= *completions_ : succeeded_ > 0;
    if (enough && active_ == 0) {
      outcome_ = Outcome{true, "CompletionsReached", "Reached expected number of succeeded pods"};
    }
  }

  /// Makes pods, or removes what is too many.
  void steer() {
    std::int64_t wanted = 0;
    if (suspended_) {
      wanted = 0;
    } else if (!completions_) {
      wanted = succeeded_ > 0 ? active_ : parallelism_;
    } else {
      wanted = std::clamp<std::int64_t>(*completions_ - succeeded_, 0, std::max<std::int64_t>(parallelism_, 0));
    }
    plan_.remove = surplus_pods(active_pods(), std::max<std::int64_t>(active_ - wanted, 0),
                                indexed_ ? completions_ : std::nullopt);
    if (!plan_.remove.empty()) {
      if (plan_.remove.size() > kMostPodsAtOnce) plan_.remove.resize(kMostPodsAtOnce);
      plan_.remove_uncounted = true;
      active_ -= static_cast<std::int64_t>(plan_.remove.size());
      terminating_ += static_cast<std::int64_t>(plan_.remove.size());
      for (const auto& pod : plan_.remove) ready_ -= is_ready(*pod) ? 1 : 0;
      return;
    }
    const std::int64_t missing = wanted - active_ - (replaces_failed_only_ ? terminating_ : 0);
    if (suspended_ || missing <= 0) return;
    if (const Time due = backed_off_until(); due > now_) return look_again(due);
    create(static_cast<std::size_t>(std::min<std::int64_t>(missing, kMostPodsAtOnce)));
  }

  /// The first failure since the last success is followed by 10 s without new pods, each further one by twice that.
  Time backed_off_until() const {
    Time last_success{}, last_failure{};
    for (const auto& pod : pods_) {
      if (doc::find_string(*pod, "status", "phase") == "Succeeded") {
        last_success = std::max(last_success, finished_at(*pod));
      }
    }
    int failures = 0;
    for (const auto& pod : pods_) {
      if (!failed(*pod) || !has_valid_index(*pod) || finished_at(*pod) <= last_success) continue;
      ++failures;
      last_failure = std::max(last_failure, finished_at(*pod));
    }
    if (failures == 0) return {};
    const Duration backoff =
        failures > 10 ? kLongestBackoff : std::min(kFirstBackoff * (1 << (failures - 1)), kLongestBackoff);
    return last_failure + backoff;
  }

  void create(std::size_t count) {
    if (!indexed_) {
      for (std::size_t i = 0; i < count; ++i) plan_.create.push_back(job_pod(job_, std::nullopt));
    } else {
      IndexSet taken = indexes_;
      for (const auto& pod : pods_) {
        const auto index = completion_index(*pod);
        if (index && (is_active(*pod) || (replaces_failed_only_ && is_terminating(*pod)))) taken.insert(*index);
      }
      for (std::int64_t index = 0; index < *completions_ && plan_.create.size() < count; ++index) {
        if (!taken.has(index)) plan_.create.push_back(job_pod(job_, index));
      }
    }
    active_ += static_cast<std::int64_t>(plan_.create.size());
  }

  void tell_suspension() {
    const Condition condition = suspended_ ? Condition{"Suspended", true, "JobSuspended", "Job suspended"}
                                           : Condition{"Suspended", false, "JobResumed", "Job resumed"};
    if (!suspended_ && !find_condition(status_value(), "Suspended")) return;
    if (holds(status_value(), "Suspended") == suspended_) return;
    set_condition(plan_.status, condition, ConditionStamp::kProbe, now_);
    plan_.notes.push_back({"Normal", suspended_ ? "Suspended" : "Resumed", std::string(condition.message)});
    if (!suspended_) plan_.status["startTime"] = format_rfc3339(now_);
  }

  /// Counts those whose finalizer is gone, and takes down those that end now.
  void collect() {
    std::set<std::string, std::less<>> tracked;
    for (const auto& pod : pods_) {
      if (has_tracking_finalizer(*pod)) tracked.insert(uid_of(*pod));
    }
    std::int64_t counted_succeeded = number_at(job_, "status", "succeeded").value_or(0);
    std::int64_t counted_failed = number_at(job_, "status", "failed").value_or(0);
    const auto settle = [&](std::set<std::string, std::less<>>& uncounted, std::int64_t& counter) {
      counter +=
          static_cast<std::int64_t>(std::erase_if(uncounted, [&](const auto& uid) { return !tracked.contains(uid); }));
    };
    settle(uncounted_succeeded_, counted_succeeded);
    settle(uncounted_failed_, counted_failed);
    IndexSet counted_indexes =
        indexed_ ? IndexSet::parse(doc::find_string(job_, "status", "completedIndexes"), *completions_) : IndexSet();
    for (const auto& pod : pods_) {
      if (!has_tracking_finalizer(*pod)) continue;
      if (uncounted_succeeded_.size() + uncounted_failed_.size() >= kMostPodsAtOnce) break;
      const bool succeeded = doc::find_string(*pod, "status", "phase") == "Succeeded";
      if (!succeeded && !failed(*pod) && !outcome_ && !is_deleting(job_)) continue;
      plan_.release.push_back(pod);
      if (!has_valid_index(*pod)) continue;
      if (succeeded && !uncounted_failed_.contains(uid_of(*pod))) {
        if (indexed_) {
          counted_indexes.insert(*completion_index(*pod));
        } else {
          uncounted_succeeded_.insert(uid_of(*pod));
        }
      } else if (failed(*pod) ? counts_as_failed(*pod) : outcome_ && !outcome_->success) {
        uncounted_failed_.insert(uid_of(*pod));
      }
    }
    if (indexed_) {
      counted_succeeded = counted_indexes.size();
      put_text("completedIndexes", counted_indexes.text());
    }
    put_number("succeeded", counted_succeeded);
    put_number("failed", counted_failed);
  }

  void write_status() {
    put_number("active", active_);
    plan_.status["ready"] = ready_;
    plan_.status["terminating"] = terminating_;
    doc::Object uncounted;
    if (!uncounted_succeeded_.empty())
      uncounted["succeeded"] = doc::Array(uncounted_succeeded_.begin(), uncounted_succeeded_.end());
    if (!uncounted_failed_.empty())
      uncounted["failed"] = doc::Array(uncounted_failed_.begin(), uncounted_failed_.end());
    const bool all_counted = uncounted.empty();
    plan_.status["uncountedTerminatedPods"] = std::move(uncounted);
    if (!outcome_) return;
    const std::string_view interim = outcome_->success ? "SuccessCriteriaMet" : "FailureTarget";
    set_condition(plan_.status, {interim, true, outcome_->reason, outcome_->message}, ConditionStamp::kProbe, now_);
    if (!all_counted || !plan_.release.empty() || !plan_.remove.empty() || terminating_ > 0) return;
    finish();
  }

  void finish() {
    const std::string_view type = outcome_->success ? "Complete" : "Failed";
    set_condition(plan_.status, {type, true, outcome_->reason, outcome_->message}, ConditionStamp::kProbe, now_);
    if (outcome_->success) {
      plan_.status["completionTime"] = format_rfc3339(now_);
      plan_.notes.push_back({"Normal", "Completed", "Job completed"});
    } else {
      plan_.notes.push_back({"Warning",
                             outcome_->reason == "PodFailurePolicy"   ? "PodFailurePolicy"
                             : outcome_->reason == "DeadlineExceeded" ? "DeadlineExceeded"
                                                                      : "BackoffLimitExceeded",
                             outcome_->message});
    }
  }

  void put_number(std::string_view member, std::int64_t number) {
    if (number == 0) {
      plan_.status.erase(member);
    } else {
      plan_.status[member] = number;
    }
  }
  void put_text(std::string_view member, std::string_view text) {
    if (text.empty()) {
      plan_.status.erase(member);
    } else {
      plan_.status[member] = text;
    }
  }
  void look_again(Time when) { plan_.look_again = plan_.look_again ? std::min(*plan_.look_again, when) : when; }

  const doc::Value& job_;
  const std::vector<cluster::Object>& pods_;
  const Time now_;
  std::set<std::string, std::less<>> uncounted_succeeded_, uncounted_failed_;
  std::optional<std::int64_t> completions_;
  std::int64_t parallelism_ = 1;
  bool indexed_ = false;
  bool suspended_ = false;
  bool replaces_failed_only_ = false;

  JobPlan plan_;
  std::optional<Outcome> outcome_;
  IndexSet indexes_;
  std::int64_t active_ = 0, ready_ = 0, terminating_ = 0, succeeded_ = 0, failed_ = 0;
};

}  // namespace

bool has_tracking_finalizer(const doc::Value& pod) {
  return std::ranges::any_of(list_at(pod, "metadata", "finalizers"), [](const doc::Value& one) {
    return one.is_string() && std::string_view(one.get_string()) == kTrackingFinalizer;
  });
}

bool job_finished(const doc::Value& job) {
  const doc::Value& status = value_at(job, "status");
  return holds(status, "Complete") || holds(status, "Failed");
}

JobPlan plan_job(const doc::Value& job, const std::vector<cluster::Object>& pods, Time now) {
  return Look(job, pods, now).make();
}

std::optional<Time> job_expiry(const doc::Value& job) {
  const auto ttl = number_at(job, "spec", "ttlSecondsAfterFinished");
  if (!ttl) return std::nullopt;
  const doc::Value& status = value_at(job, "status");
  const doc::Value* end = find_condition(status, holds(status, "Complete") ? "Complete" : "Failed");
  const auto at = end ? time_at(*end, "lastTransitionTime") : std::nullopt;
  return at ? std::optional(*at + std::chrono::seconds(*ttl)) : std::nullopt;
}

}  // namespace tiphys::controllers::workloads
