// One CronWorkflow of a plane: its runs, its status, its history.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/references.h"
#include "base/executor.h"
#include "base/random.h"
#include "cluster/cluster.h"
#include "controllers/controller_metrics.h"
#include "controllers/cron_children.h"
#include "controllers/cron_conditions.h"
#include "controllers/cron_plan.h"
#include "controllers/event_recorder.h"

namespace tiphys::controllers {

using api::kSpecError;
using api::kSubmissionError;

/// What the jobs of one controller share.
struct CronEnvironment {
  Executor& executor;
  cluster::Cluster& cluster;
  Random& random;  ///< of expressions
  expr::GoZone local;
  /// Failed writes are tried again after this, doubled up to the most.
  Duration first_retry, longest_retry;
  /// Of the configuration; null: none.
  doc::Shared workflow_defaults;
  ControllerMetrics& metrics;
  /// The workflows of every CronWorkflow, by its uid.
  std::map<std::string, CronChildren>& children;
};

/// Driven by levels: go_on() looks at what there is (object, workflows, time) and does the next thing that is to be
/// done, one at a time, until there is none. A run is not begun twice, whatever is lost on the way: its workflow is
/// named by its time, and no time up to status.lastScheduledTime is looked at again.
class CronJob : public std::enable_shared_from_this<CronJob> {
 public:
  /// `on_due` is called when due() has changed.
  CronJob(CronEnvironment& environment, cluster::Key key, std::move_only_function<void()> on_due);

  const std::string& uid() const { return cron_.uid; }
  /// When it wants to be woken.
  std::optional<Time> due() const { return due_; }

  /// The object as it is now; an older version than the one that is known does nothing.
  void observe(const cluster::Object& object);
  /// A workflow of it has begun, ended or gone.
  void children_changed();
  void go_on();

 private:
  /// A run in the making: what is to be written about it.
  struct Attempt {
    Time scheduled;
    api::CronWorkflowStatus status;
    doc::Object labels, annotations;
  };
  using Next = void (CronJob::*)();

  CronChildren& children() { return environment_.children[cron_.uid]; }
  CronAmbient ambient();
  bool completed() const;
  void read_plan(const std::vector<api::Finding>& findings);
  void plan_next();
  std::optional<Time> missed_run();
  bool update_status();
  bool used_schedules(const api::CronWorkflowStatus& status) const;
  bool remove_surplus();

  // A run, in this order.
  void attempt(Time scheduled);
  void judge(const api::CronWorkflow& whole, std::vector<api::Finding> findings);
  void validate(const api::CronWorkflow& whole, std::vector<api::Finding> findings, const api::References& references);
  void decide();
  void replace_active();
  void create();
  void created(const Result<cluster::Object>& answer);
  void look_at_existing();
  void began(const doc::Value& workflow);
  void spec_error(std::string message);
  void submission_error(std::string message);
  void conclude();
  void concluded();

  void write(const api::CronWorkflowStatus& status, doc::Object labels, doc::Object annotations, Next next);
  void wrote(const Result<cluster::Object>& answer, Next next);
  void finished();
  void try_again(const Error& error);

  /// A call-back that does nothing once the job is gone.
  template <typename F>
  auto guarded(F task) {
    return [weak = weak_from_this(), task = std::move(task)](auto&&... args) mutable {
      if (const auto self = weak.lock()) task(*self, std::forward<decltype(args)>(args)...);
    };
  }

  CronEnvironment& environment_;
  cluster::Key key_;
  std::move_only_function<void()> on_due_;

  EventRecorder events_;
  api::CronWorkflow cron_;
  std::uint64_t version_ = 0;
  std::string spec_error_;        ///< why there is no plan
  std::optional<CronPlan> plan_;  ///< none of an object that cannot be followed
  std::string planned_;           ///< the schedules of the plan
  Time changed_{};                ///< when these came to light
  std::optional<Time> due_;

  bool busy_ = false;            ///< an answer is waited for
  std::optional<Time> pending_;  ///< a run that has to be tried, or tried again
  std::optional<Attempt> attempt_;
  std::optional<Time> tried_;     ///< a missed run that was decided against as things are now
  std::optional<Time> given_up_;  ///< one that failed: another try needs another spec
  std::size_t answers_ = 0;       ///< that are waited for
  std::optional<Error> failure_;  ///< among them
  Duration retry_delay_{};
};

}  // namespace tiphys::controllers
