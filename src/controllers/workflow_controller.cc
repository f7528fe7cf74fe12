#include "controllers/workflow_controller.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "controllers/actions.h"
#include "controllers/live_run.h"
#include "controllers/memo_cache.h"
#include "controllers/names.h"
#include "controllers/namespace_limits.h"
#include "controllers/pod_rate.h"
#include "controllers/retry_request.h"
#include "controllers/throttle.h"
#include "controllers/workflow_status.h"

namespace tiphys::controllers {
namespace {

using cluster::Object;
using cluster::WatchEvent;

/// So many names a selector lists; with more live workflows all workflow pods are listed.
constexpr std::size_t kMostNamesInSelector = 64;

std::string run_key(std::string_view ns, std::string_view name) {
  return fmt::format("{}/{}", ns, name);
}

std::string run_key_of_workflow(const doc::Value& workflow) {
  return run_key(doc::find_string(workflow, "metadata", "namespace"), doc::find_string(workflow, "metadata", "name"));
}

std::string run_key_of_pod(const doc::Value& pod) {
  return run_key(doc::find_string(pod, "metadata", "namespace"),
                 doc::find_string(pod, "metadata", "labels", kWorkflowLabel));
}

bool completed(const doc::Value& workflow) {
  return doc::find_string(workflow, "metadata", "labels", kCompletedLabel) == "true";
}

cluster::Selector selector(const std::string& text) {
  Result<cluster::Selector> parsed = cluster::Selector::parse(text);
  TIPHYS_CHECK(parsed.has_value(), "selectors made of fixed labels and Kubernetes names parse");
  return std::move(*parsed);
}

}  // namespace

class WorkflowController::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, Random& random, WorkflowControllerOptions options)
      : executor_(executor),
        cluster_(cluster),
        random_(random),
        options_(std::move(options)),
        throttle_(options_.config.parallelism, options_.config.namespace_parallelism),
        cache_(executor, cluster),
        metrics_(options_.metrics ? options_.metrics : std::make_shared<ControllerMetrics>()),
        locks_(executor, cluster, options_.first_retry, [this](const auto& lock) { metrics_->lock_taken(lock); }),
        pod_rate_(executor, options_.config.pod_rate, [this](Duration time) { metrics_->pod_delayed(time); }),
        actions_(executor, cluster, options_.http, options_.stores) {}

  void start(std::move_only_function<void()> on_ready);
  std::size_t live_runs() const { return runs_.size(); }
  std::string metrics() { return metrics_->text(executor_.now(), under_way()); }
  std::vector<telemetry::Metric> collect_metrics() { return metrics_->collect(executor_.now(), under_way()); }

 private:
  UnderWay under_way() const {
    UnderWay counted;
    for (const auto& [key, run] : runs_) run->count(counted);
    counted.locks = locks_.uses();
    return counted;
  }
  /// A call-back that does nothing once the controller is gone.
  template <typename F>
  auto guarded(F task) {
    return [weak = weak_from_this(), task = std::move(task)](auto&&... args) mutable {
      if (const auto self = weak.lock()) task(*self, std::forward<decltype(args)>(args)...);
    };
  }

  // Workflows.
  void watch_workflows();
  void on_workflow(const WatchEvent& event);
  void workflow_changed(const Object& workflow);
  void workflow_deleted(const doc::Value& workflow);
  void workflows_synced();
  void add_run(const std::string& key, const Object& workflow);
  void wait_until_due(const std::string& key, const doc::Value& workflow);
  void wait_for_turn(const std::string& key, const doc::Value& workflow);
  void begin_admitted();
  void watch_config_maps();
  void leave(const std::string& key);
  void list_pods_of(std::weak_ptr<LiveRun> run, const doc::Value& workflow);

  // Pods.
  void list_pods();
  void pods_listed(Result<cluster::List> list);
  void watch_pods(std::uint64_t version);
  void watch_deletions(std::uint64_t version);
  void on_pod(const WatchEvent& event);

  void run_done(const std::string& key, const std::string& uid);
  void retry(std::string_view what, const Error& error, void (State::*task)());

  Executor& executor_;
  cluster::Cluster& cluster_;
  Random& random_;
  WorkflowControllerOptions options_;
  Throttle throttle_;
  MemoCache cache_;
  std::shared_ptr<ControllerMetrics> metrics_;
  Locks locks_;
  PodRate pod_rate_;
  std::optional<NamespaceLimits> namespace_limits_;
  std::optional<ConfigMapWatch> config_maps_;
  Actions actions_;
  std::map<std::string, std::shared_ptr<LiveRun>> runs_;
  /// Workflows that a user retries while the last writes of their run are under way.
  std::map<std::string, Object> again_;

  std::unique_ptr<cluster::Watch> workflow_watch_, pod_watch_, deletion_watch_;
  /// Keys seen since the watch of workflows began anew, until it is in step; what is not among them is gone.
  std::optional<std::set<std::string>> seen_;
  bool pods_known_ = false;
  std::shared_ptr<void> starting_;  ///< until the pods are known
  Duration retry_delay_{};
};

// ---- Workflows ----

void WorkflowController::State::start(std::move_only_function<void()> on_ready) {
  // Everything that is taken up at the start holds the token; the last one that lets go of it tells.
  auto ready = std::make_shared<std::move_only_function<void()>>(std::move(on_ready));
  starting_ = std::shared_ptr<void>(this, [weak = weak_from_this(), ready](void*) {
    const auto self = weak.lock();
    if (self) self->locks_.open();
    if (self && *ready) self->executor_.post([ready] { (*ready)(); });
  });
  namespace_limits_.emplace(executor_, cluster_,
                            guarded([](State& self, const std::string& ns, std::optional<std::int64_t> limit) {
                              self.throttle_.set_limit(ns, limit);
                              self.begin_admitted();
                            }),
                            guarded([](State& self) { self.watch_config_maps(); }));
}

void WorkflowController::State::watch_config_maps() {
  config_maps_.emplace(executor_, cluster_, options_.ns, guarded([](State& self) { self.watch_workflows(); }));
}

void WorkflowController::State::watch_workflows() {
  seen_.emplace();
  cluster::WatchOptions options;
  options.ns = options_.ns;
  options.labels = selector(fmt::format("{}!=true", kCompletedLabel));
  options.without_status_updates = true;
  workflow_watch_ = cluster_.watch(
      cluster::kWorkflows, std::move(options),
      {guarded([](State& self, const WatchEvent& event) { self.on_workflow(event); }),
       guarded([](State& self, const Error& error) { self.retry("workflows", error, &State::watch_workflows); })});
}

void WorkflowController::State::on_workflow(const WatchEvent& event) {
  switch (event.type) {
    case WatchEvent::Type::kAdded:
    case WatchEvent::Type::kModified:
      return workflow_changed(event.object);
    case WatchEvent::Type::kDeleted:
      return workflow_deleted(*event.object);
    case WatchEvent::Type::kSynced:
      return workflows_synced();
  }
}

void WorkflowController::State::workflow_changed(const Object& workflow) {
  if (completed(*workflow)) return;
  const std::string key = run_key_of_workflow(*workflow);
  if (seen_) seen_->insert(key);
  const auto it = runs_.find(key);
  if (it != runs_.end() && it->second->uid() == doc::find_string(*workflow, "metadata", "uid")) {
    if (it->second->ending() && retry_asked(*workflow)) {
      again_[key] = workflow;
    } else {
      it->second->observe(workflow);
      if (throttle_.waits(key)) wait_for_turn(key, *workflow);
    }
  } else {
    add_run(key, workflow);
  }
}

void WorkflowController::State::add_run(const std::string& key, const Object& workflow) {
  const RunEnvironment environment{executor_,
                                   cluster_,
                                   options_.config,
                                   cache_,
                                   locks_,
                                   *config_maps_,
                                   actions_,
                                   *metrics_,
                                   pod_rate_,
                                   random_,
                                   options_.first_retry,
                                   options_.longest_retry,
                                   options_.spans};
  std::string uid(doc::find_string(*workflow, "metadata", "uid"));
  const bool begun = has_begun(*workflow) || retry_asked(*workflow);
  auto run = std::make_shared<LiveRun>(environment, workflow, begun ? starting_ : nullptr,
                                       guarded([key, uid](State& self) { self.run_done(key, uid); }));
  locks_.take_up(*workflow);
  throttle_.remove(key);  // a namesake that went unseen
  runs_[key] = run;
  if (!begun) return wait_until_due(key, *workflow);
  // What this plane has begun it knows, but for what is listed: another has written this status, template and all.
  if (options_.config.restrictions.by_reference && has_begun(*workflow) && !seen_) {
    return run->refuse("a workflow must not bring a status when the controller is in reference mode");
  }
  throttle_.begun(key);
  if (pods_known_) list_pods_of(run, *workflow);
}

/// A new workflow is left alone for a while, if so configured.
void WorkflowController::State::wait_until_due(const std::string& key, const doc::Value& workflow) {
  const Duration delay = options_.config.initial_delay;
  if (delay == Duration::zero()) return wait_for_turn(key, workflow);
  executor_.schedule(executor_.now() + delay, guarded([key, uid = runs_.at(key)->uid()](State& self) {
                       const auto run = self.runs_.find(key);
                       if (run == self.runs_.end() || run->second->uid() != uid) return;
                       self.wait_for_turn(key, run->second->unopened());
                     }));
}

/// It begins when it is its turn; one that is to be terminated does at once, to end.
void WorkflowController::State::wait_for_turn(const std::string& key, const doc::Value& workflow) {
  const doc::Value* priority = doc::find(workflow, "spec", "priority");
  throttle_.add(key, priority && priority->is_int64() ? priority->get_int64() : 0,
                parse_rfc3339(doc::find_string(workflow, "metadata", "creationTimestamp")).value_or(Time{}));
  begin_admitted();
  if (!pods_known_ || !throttle_.waits(key)) return;
  const std::shared_ptr<LiveRun> run = runs_.at(key);
  if (doc::find_string(workflow, "spec", "shutdown") != "Terminate") return run->postpone();
  throttle_.remove(key);
  run->open({});
}

void WorkflowController::State::begin_admitted() {
  if (!pods_known_) return;
  // One that is done for at once leaves again.
  while (const auto key = throttle_.admit()) {
    const std::shared_ptr<LiveRun> run = runs_.at(*key);
    run->open({});
  }
}

/// A run is no more: another may have its turn.
void WorkflowController::State::leave(const std::string& key) {
  locks_.release_workflow(key);
  throttle_.remove(key);
  begin_admitted();
}

/// A workflow that is under way but came to light only now, after a gap in the watch.
void WorkflowController::State::list_pods_of(std::weak_ptr<LiveRun> run, const doc::Value& workflow) {
  cluster::ListOptions options;
  options.ns = doc::find_string(workflow, "metadata", "namespace");
  options.labels = selector(fmt::format("{}={}", kWorkflowLabel, doc::find_string(workflow, "metadata", "name")));
  cluster_.list(cluster::kPods, std::move(options),
                guarded([run = std::move(run)](State& self, Result<cluster::List> list) {
                  const std::shared_ptr<LiveRun> live = run.lock();
                  if (!live) return;
                  if (list) return live->open(std::move(list->items));
                  // The next attempt begins with the workflow's watch, which tells of it again.
                  std::erase_if(self.runs_, [&](const auto& entry) { return entry.second == live; });
                  self.retry("workflows", list.error(), &State::watch_workflows);
                }));
}

void WorkflowController::State::workflow_deleted(const doc::Value& workflow) {
  const std::string key = run_key_of_workflow(workflow);
  again_.erase(key);
  const auto it = runs_.find(key);
  if (it == runs_.end()) return leave(key);
  if (it->second->uid() != doc::find_string(workflow, "metadata", "uid")) return;
  // A completed workflow leaves the watch too: its run takes itself away once all is written.
  if (it->second->ending()) return;
  runs_.erase(it);
  leave(key);
}

void WorkflowController::State::workflows_synced() {
  retry_delay_ = Duration::zero();
  const std::set<std::string> seen = std::exchange(seen_, std::nullopt).value_or(std::set<std::string>());
  std::erase_if(runs_, [&](const auto& run) {
    const bool gone = !seen.contains(run.first) && !run.second->ending();
    if (gone) throttle_.remove(run.first);
    return gone;
  });
  locks_.keep([&](const std::string& workflow) { return runs_.contains(workflow); });
  begin_admitted();
  if (!pods_known_) list_pods();
}

// ---- Pods ----

void WorkflowController::State::list_pods() {
  pod_watch_.reset();
  cluster::ListOptions options;
  options.ns = options_.ns;
  std::string names;
  for (const auto& [key, run] : runs_) {
    if (!names.empty()) names += ',';
    names += key.substr(key.find('/') + 1);
  }
  if (runs_.empty()) {
    // Only the plane's version is of interest: pods that have ended, and may be very many, need not be looked at.
    options.labels = selector(std::string(kWorkflowLabel));
    options.fields = selector("status.phase!=Succeeded,status.phase!=Failed");
  } else if (runs_.size() <= kMostNamesInSelector) {
    options.labels = selector(fmt::format("{} in ({})", kWorkflowLabel, names));
  } else {
    options.labels = selector(std::string(kWorkflowLabel));
  }
  cluster_.list(cluster::kPods, std::move(options),
                guarded([](State& self, Result<cluster::List> list) { self.pods_listed(std::move(list)); }));
}

void WorkflowController::State::pods_listed(Result<cluster::List> list) {
  if (!list) return retry("pods", list.error(), &State::list_pods);
  retry_delay_ = Duration::zero();
  std::map<std::string, std::vector<Object>> pods;
  for (Object& pod : list->items) pods[run_key_of_pod(*pod)].push_back(std::move(pod));
  watch_pods(list->resource_version);
  watch_deletions(list->resource_version);
  const bool first = !std::exchange(pods_known_, true);
  // A run that is done for takes itself out of the map.
  std::vector<std::pair<std::string, std::shared_ptr<LiveRun>>> runs(runs_.begin(), runs_.end());
  for (auto& [key, run] : runs) {
    if (!first) {
      run->pods_listed(pods[key]);
    } else if (throttle_.under_way(key)) {
      run->open(std::move(pods[key]));
    }
  }
  begin_admitted();
  for (auto& [key, run] : runs) {
    if (throttle_.waits(key)) run->postpone();
  }
  starting_.reset();
}

void WorkflowController::State::watch_pods(std::uint64_t version) {
  cluster::WatchOptions options;
  options.ns = options_.ns;
  options.labels = selector(std::string(kWorkflowLabel));
  options.resource_version = version;
  options.uncommitted = true;
  pod_watch_ =
      cluster_.watch(cluster::kPods, std::move(options),
                     {guarded([](State& self, const WatchEvent& event) { self.on_pod(event); }),
                      guarded([](State& self, const Error& error) { self.retry("pods", error, &State::list_pods); })});
}

void WorkflowController::State::on_pod(const WatchEvent& event) {
  if (!event.object) return;
  const auto it = runs_.find(run_key_of_pod(*event.object));
  if (it == runs_.end()) return;
  if (event.type == WatchEvent::Type::kDeleted) {
    it->second->pod_deleted(*event.object);
  } else {
    it->second->pod_changed(*event.object);
  }
}

/// Of workflows that have ended, too, which the other watch does not tell apart from those that are only completed.
void WorkflowController::State::watch_deletions(std::uint64_t version) {
  cluster::WatchOptions options;
  options.ns = options_.ns;
  options.resource_version = version;
  options.without_status_updates = true;
  deletion_watch_ = cluster_.watch(
      cluster::kWorkflows, std::move(options),
      {guarded([](State& self, const WatchEvent& event) {
         if (event.type != WatchEvent::Type::kDeleted) return;
         self.metrics_->of_workflows().forget(doc::find_string(*event.object, "metadata", "uid"));
       }),
       guarded([](State& self, const Error& error) { self.retry("deletions", error, &State::list_pods); })});
}

// ---- Runs ----

void WorkflowController::State::run_done(const std::string& key, const std::string& uid) {
  const auto it = runs_.find(key);
  if (it != runs_.end() && it->second->uid() == uid) {
    runs_.erase(it);
    leave(key);
  }
  if (const auto again = again_.extract(key)) add_run(key, again.mapped());
}

void WorkflowController::State::retry(std::string_view what, const Error& error, void (State::*task)()) {
  log::warn("watching {} ended and begins anew: {}", what, error.message);
  retry_delay_ =
      retry_delay_ == Duration::zero() ? options_.first_retry : std::min(retry_delay_ * 2, options_.longest_retry);
  executor_.schedule(executor_.now() + retry_delay_, guarded([task](State& self) { (self.*task)(); }));
}

WorkflowController::WorkflowController(Executor& executor, cluster::Cluster& cluster, Random& random,
                                       WorkflowControllerOptions options)
    : state_(std::make_shared<State>(executor, cluster, random, std::move(options))) {}

WorkflowController::~WorkflowController() = default;

void WorkflowController::start(std::move_only_function<void()> on_ready) {
  state_->start(std::move(on_ready));
}

std::size_t WorkflowController::live_runs() const {
  return state_->live_runs();
}

std::string WorkflowController::metrics() const {
  return state_->metrics();
}

std::vector<telemetry::Metric> WorkflowController::collect_metrics() const {
  return state_->collect_metrics();
}

}  // namespace tiphys::controllers
