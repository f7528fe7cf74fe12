#include "controllers/cron_workflow_controller.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "controllers/cron_job.h"
#include "controllers/names.h"

namespace tiphys::controllers {
namespace {

using cluster::Object;
using cluster::WatchEvent;

cluster::Key key_of_cron(const doc::Value& cron) {
  return {&cluster::kCronWorkflows, std::string(doc::find_string(cron, "metadata", "namespace")),
          std::string(doc::find_string(cron, "metadata", "name"))};
}

}  // namespace

class CronWorkflowController::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, Random& random, CronWorkflowControllerOptions options)
      : options_(std::move(options)),
        metrics_(options_.metrics ? options_.metrics : std::make_shared<ControllerMetrics>()),
        environment_{executor,
                     cluster,
                     random,
                     options_.local,
                     options_.first_retry,
                     options_.longest_retry,
                     options_.workflow_defaults,
                     *metrics_,
                     children_} {}

  void start() {
    watch_children();
    watch_crons();
  }

 private:
  /// A call-back that does nothing once the controller is gone.
  template <typename F>
  auto guarded(F task) {
    return [weak = weak_from_this(), task = std::move(task)](auto&&... args) mutable {
      if (const auto self = weak.lock()) task(*self, std::forward<decltype(args)>(args)...);
    };
  }

  // Workflows of CronWorkflows.
  void watch_children();
  void on_child(const WatchEvent& event);
  void child_changed(CronChild child);
  void child_deleted(const CronChild& child);
  void children_synced();

  // CronWorkflows.
  void watch_crons();
  void on_cron(const WatchEvent& event);
  void cron_changed(const Object& cron);
  void crons_synced();

  bool in_step() const { return children_known_ && crons_known_; }
  void wake_all();
  void due_changed();
  void on_timer();
  void retry(std::string_view what, const Error& error, void (State::*task)());

  CronWorkflowControllerOptions options_;
  std::map<std::string, CronChildren> children_;
  const std::shared_ptr<ControllerMetrics> metrics_;
  CronEnvironment environment_;
  std::map<cluster::Key, std::shared_ptr<CronJob>> jobs_;

  std::unique_ptr<cluster::Watch> cron_watch_, child_watch_;
  bool children_known_ = false, crons_known_ = false;
  /// What was known when a watch began anew and has not been seen since.
  std::map<std::string, CronChild> unseen_children_;
  std::set<cluster::Key> unseen_crons_;
  Executor::TimerId timer_ = 0;
  std::optional<Time> armed_;
  Duration retry_delay_{};
};

void CronWorkflowController::State::watch_children() {
  children_known_ = false;
  unseen_children_.clear();
  for (const auto& [cron, children] : children_) {
    for (const auto& [uid, child] : children) unseen_children_.emplace(uid, child);
  }
  cluster::WatchOptions options;
  options.ns = options_.ns;
  Result<cluster::Selector> labels = cluster::Selector::parse(api::kCronWorkflowLabel);
  TIPHYS_CHECK(labels.has_value(), "the name of a label is a selector");
  options.labels = std::move(*labels);
  options.bare_status_updates = true;
  child_watch_ =
      environment_.cluster.watch(cluster::kWorkflows, std::move(options),
                                 {guarded([](State& self, const WatchEvent& event) { self.on_child(event); }),
                                  guarded([](State& self, const Error& error) {
                                    self.retry("workflows of cron workflows", error, &State::watch_children);
                                  })});
}

void CronWorkflowController::State::on_child(const WatchEvent& event) {
  if (event.type == WatchEvent::Type::kSynced) return children_synced();
  std::optional<CronChild> child = read_cron_child(*event.object);
  if (!child) return;
  if (event.type == WatchEvent::Type::kDeleted) return child_deleted(*child);
  child_changed(std::move(*child));
}

void CronWorkflowController::State::child_changed(CronChild child) {
  unseen_children_.erase(child.uid);
  CronChild& known = children_[child.cron_uid][child.uid];
  if (child.version < known.version) return;
  const bool news = known.uid.empty() || known.fulfilled() != child.fulfilled();
  known = std::move(child);
  if (!news || !in_step()) return;
  for (const auto& [key, job] : jobs_) {
    if (job->uid() == known.cron_uid) return job->children_changed();
  }
}

void CronWorkflowController::State::child_deleted(const CronChild& child) {
  unseen_children_.erase(child.uid);
  const auto children = children_.find(child.cron_uid);
  if (children == children_.end() || children->second.erase(child.uid) == 0 || !in_step()) return;
  for (const auto& [key, job] : jobs_) {
    if (job->uid() == child.cron_uid) return job->children_changed();
  }
}

void CronWorkflowController::State::children_synced() {
  for (const auto& [uid, child] : std::exchange(unseen_children_, {})) children_[child.cron_uid].erase(uid);
  children_known_ = true;
  wake_all();
}

void CronWorkflowController::State::watch_crons() {
  crons_known_ = false;
  unseen_crons_.clear();
  for (const auto& [key, job] : jobs_) unseen_crons_.insert(key);
  cluster::WatchOptions options;
  options.ns = options_.ns;
  cron_watch_ = environment_.cluster.watch(
      cluster::kCronWorkflows, std::move(options),
      {guarded([](State& self, const WatchEvent& event) { self.on_cron(event); }),
       guarded([](State& self, const Error& error) { self.retry("cron workflows", error, &State::watch_crons); })});
}

void CronWorkflowController::State::on_cron(const WatchEvent& event) {
  switch (event.type) {
    case WatchEvent::Type::kAdded:
    case WatchEvent::Type::kModified:
      return cron_changed(event.object);
    case WatchEvent::Type::kDeleted: {
      const auto job = jobs_.find(key_of_cron(*event.object));
      if (job == jobs_.end() || job->second->uid() != doc::find_string(*event.object, "metadata", "uid")) return;
      jobs_.erase(job);
      return;
    }
    case WatchEvent::Type::kSynced:
      return crons_synced();
  }
}

void CronWorkflowController::State::cron_changed(const Object& cron) {
  const cluster::Key key = key_of_cron(*cron);
  unseen_crons_.erase(key);
  std::shared_ptr<CronJob>& job = jobs_[key];
  if (!job || job->uid() != doc::find_string(*cron, "metadata", "uid")) {
    job = std::make_shared<CronJob>(environment_, key, guarded([](State& self) { self.due_changed(); }));
  }
  const std::shared_ptr<CronJob> woken = job;
  woken->observe(cron);
  if (in_step()) woken->go_on();
}

void CronWorkflowController::State::crons_synced() {
  for (const cluster::Key& key : std::exchange(unseen_crons_, {})) jobs_.erase(key);
  crons_known_ = true;
  wake_all();
}

void CronWorkflowController::State::wake_all() {
  if (!in_step()) return;
  retry_delay_ = Duration::zero();
  const auto jobs = jobs_;
  for (const auto& [key, job] : jobs) job->go_on();
}

/// One timer for the first of them. What is due already is a job's own business.
void CronWorkflowController::State::due_changed() {
  const Time now = environment_.executor.now();
  std::optional<Time> first;
  for (const auto& [key, job] : jobs_) {
    const auto due = job ? job->due() : std::nullopt;
    if (due && *due > now && (!first || *due < *first)) first = due;
  }
  if (first == armed_) return;
  environment_.executor.cancel(std::exchange(timer_, 0));
  armed_ = first;
  if (first) timer_ = environment_.executor.schedule(*first, guarded([](State& self) { self.on_timer(); }));
}

void CronWorkflowController::State::on_timer() {
  timer_ = 0;
  armed_.reset();
  const auto jobs = jobs_;
  const Time now = environment_.executor.now();
  for (const auto& [key, job] : jobs) {
    if (in_step() && job->due() && *job->due() <= now) job->go_on();
  }
  due_changed();
}

void CronWorkflowController::State::retry(std::string_view what, const Error& error, void (State::*task)()) {
  log::warn("watching {} ended and begins anew: {}", what, error.message);
  retry_delay_ =
      retry_delay_ == Duration::zero() ? options_.first_retry : std::min(retry_delay_ * 2, options_.longest_retry);
  environment_.executor.schedule(environment_.executor.now() + retry_delay_,
                                 guarded([task](State& self) { (self.*task)(); }));
}

CronWorkflowController::CronWorkflowController(Executor& executor, cluster::Cluster& cluster, Random& random,
                                               CronWorkflowControllerOptions options)
    : state_(std::make_shared<State>(executor, cluster, random, std::move(options))) {}

CronWorkflowController::~CronWorkflowController() = default;

void CronWorkflowController::start() {
  state_->start();
}

}  // namespace tiphys::controllers
