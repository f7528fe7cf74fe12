// One unfinished workflow: its engine::Run, and everything that the run asks of the plane.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/controller_config.h"
#include "api/references.h"
#include "base/executor.h"
#include "cluster/cluster.h"
#include "controllers/action_runner.h"
#include "controllers/agent_pod.h"
#include "controllers/config_map_watch.h"
#include "controllers/controller_metrics.h"
#include "controllers/estimates.h"
#include "controllers/locks.h"
#include "controllers/memo_cache.h"
#include "controllers/pod_builder.h"
#include "controllers/pod_gc.h"
#include "controllers/pod_rate.h"
#include "controllers/run_events.h"
#include "controllers/run_trace.h"
#include "controllers/workflow_claims.h"
#include "controllers/workflow_metadata.h"
#include "controllers/workflow_status.h"
#include "engine/manual_retry.h"
#include "engine/run.h"

namespace tiphys::controllers {

/// What the runs of one controller share.
struct RunEnvironment {
  Executor& executor;
  cluster::Cluster& cluster;
  const api::ControllerConfig& config;
  MemoCache& cache;
  Locks& locks;
  ConfigMapWatch& config_maps;
  ActionRunner& actions;
  ControllerMetrics& metrics;
  PodRate& pod_rate;
  Random& random;  ///< of expressions
  /// Failed writes are tried again after this, doubled up to the most.
  Duration first_retry;
  Duration longest_retry;
  telemetry::SpanSink* spans;  ///< null: none are wanted
};

/// Events are gathered and applied together; what they change and the pods that they start are then written in one loop
/// turn, so that the store commits them together. While that write is under way, further events wait: a state reaches
/// the disk only after all that it follows from. A failed write is repeated until it holds.
class LiveRun : public std::enable_shared_from_this<LiveRun> {
 public:
  /// `workflow` as watched, without nodes. `opening` is let go once the run has begun or gone on; `on_done` is called
  /// once there is nothing left to do for it: finished and written, or deleted.
  LiveRun(RunEnvironment environment, cluster::Object workflow, std::shared_ptr<void> opening,
          std::move_only_function<void()> on_done);
  ~LiveRun();
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  const std::string& uid() const { return uid_; }
  /// The run has ended; what is left is to write so.
  bool ending() const { return !opening_ && (!run_ || run_->status().finished()); }
  /// Adds what is under way of it.
  void count(UnderWay& under_way) const;

  /// Begins the workflow, or reads it back and goes on, also where it has ended if a retry is asked for. `pods` are
  /// those of it that exist.
  void open(std::vector<cluster::Object> pods);
  /// It has not begun, and does not yet: too many workflows are under way. Its status says so, unless it does already.
  void postpone();
  /// Instead of open(): it ends in Error.
  void refuse(std::string message);
  /// As last seen, before it is opened.
  const doc::Value& unopened() const;
  /// The workflow has changed: spec.suspend, spec.shutdown and requested nodes become events.
  void observe(cluster::Object workflow);
  void pod_changed(const doc::Value& pod);
  void pod_deleted(const doc::Value& pod);
  /// After a gap in the watch: all pods that exist now.
  void pods_listed(const std::vector<cluster::Object>& pods);

 private:
  struct Opening;
  struct PodToCreate {
    engine::CreatePod request;
    std::optional<doc::Value> document;  ///< none once it has been handed over: built again for another attempt
  };

  // Opening.
  void load();
  void loaded(Result<cluster::Object> workflow);
  Status take_nodes(const doc::Value& workflow, bool retried);
  void remove_pods();
  void pod_left(const std::string& uid);
  bool replaced(const doc::Value& pod, bool deleted);
  void begin(const doc::Value& workflow, bool restore);
  Result<doc::Value> completed(const doc::Value& workflow);
  void resolve(const api::Workflow& workflow);
  void resolved(const api::References& references);
  void find_repository(const doc::Value& workflow, const api::Workflow& parsed);
  bool lacks_gc_finalizer(const doc::Value& workflow, const api::Workflow& parsed);
  void add_gc_finalizer(const doc::Value& workflow, bool restore);
  Status give_arguments(api::Workflow& workflow);
  Status give_metadata(api::Workflow& workflow);
  bool looks_up_estimates(const api::Workflow& parsed, const doc::Value& workflow, bool restore);
  bool lacks_claims(const doc::Value& workflow) const;
  void claim(const doc::Value& workflow, bool restore);
  void tell_config_maps(std::vector<engine::Effect>& effects);
  Status create_run(api::Workflow parsed, const doc::Value& workflow, bool restore);
  Result<api::Workflow> read_begun(const doc::Value& workflow) const;
  void try_again(std::string_view what, const Error& error, void (LiveRun::*task)());
  void begin_anew();
  void start_opening();
  void declare_broken(engine::RunStatus::Phase phase, std::string message);

  // Events.
  void push(engine::Event event);
  void schedule_flush();
  void flush();
  void apply(const engine::Event& event, std::vector<engine::Effect>& effects);
  void note_retry(engine::ManualRetry& retry);
  void note_pod(const engine::PodChanged& change);
  void observe_requests(const doc::Value& workflow);
  void store_spec(const doc::Value& workflow);

  // Effects.
  void carry_out(engine::Effect effect);
  void create_pod(engine::CreatePod request);
  Result<doc::Value> build_pod(const engine::CreatePod& request) const;
  void hold_pod(engine::CreatePod request);
  bool release_pod(const std::string& node_id);
  void stop_pod(const engine::StopPod& request);
  void run_action(engine::RunAction action);
  void make_agent_pod();
  void action_refused(const engine::RunAction& action, std::string message);
  void set_timer(Time when);
  void find_template(const api::TemplateRef& ref);
  void template_fetched(const api::TemplateRef& ref, Result<api::References> references);
  Result<api::StoredTemplates> store_templates(const api::TemplateRef& ref, const api::References& references);
  void acquire_locks(engine::AcquireLocks request);
  void release_locks();
  void emit(const engine::EmitMetric& metric);
  void conclude_metrics();
  void count_workflow(const engine::RunStatus& status, engine::RunStatus::Phase before);
  void count_pod(const engine::PodChanged& change, bool is_new, bool ran);
  void count_waiting(const engine::PodChanged& change);

  // Writes.
  bool changes_status() const;
  bool has_writes() const;
  void write();
  void write_status();
  void give_back_claims();
  cluster::WorkflowStatusUpdate status_update();
  void tell_of_workflow();
  void write_pods();
  void patch_pods(std::vector<std::string> LiveRun::* pods, const doc::Value& patch);
  void pod_created(PodToCreate pod, const Result<cluster::Object>& answer);
  void adopt(PodToCreate pod, const Result<cluster::Object>& existing);
  void pod_refused(const engine::CreatePod& request, std::string message);
  void wrote(bool failed);
  void end_of_writes();
  void prune_requests();
  void finish();
  Duration next_delay();
  bool busy() const { return writes_under_way_ > 0 || retry_timer_ != 0; }
  /// A call-back that does nothing once the run is done for.
  template <typename F>
  auto guarded(F task) {
    return [weak = weak_from_this(), task = std::move(task)](auto... args) mutable {
      if (const auto self = weak.lock(); self && !self->done_) task(*self, std::move(args)...);
    };
  }

  RunEnvironment environment_;
  cluster::Key key_;
  std::string uid_;
  std::move_only_function<void()> on_done_;
  std::unique_ptr<Opening> opening_;  ///< until the run has begun

  std::unique_ptr<engine::Run> run_;  ///< null before, and for a workflow that cannot be run
  std::optional<PodBuilder> pod_builder_;
  WorkflowClaims claims_;                                  ///< that exist, once the run has begun
  std::shared_ptr<const engine::ConfigMaps> config_maps_;  ///< as the run knows them
  engine::RunStatus broken_;                               ///< of a workflow that cannot be run

  std::deque<engine::Event> inbox_;
  bool flush_posted_ = false;
  bool suspend_ = false;
  std::string shutdown_;
  /// Node ids of the pods that have not ended, and whether they run.
  std::unordered_map<std::string, bool> pods_;
  std::size_t running_pods_ = 0;
  std::map<std::string, std::unique_ptr<RunningAction>> actions_;
  std::shared_ptr<AgentPod> agent_pod_;  ///< once a plugin is needed
  bool has_agent_pod_ = false;           ///< there may be one on the plane, to be ended with the workflow
  Executor::TimerId timer_ = 0;
  std::string told_metrics_error_;  ///< in the log

  RunEvents events_;
  RunTrace trace_;
  Estimates estimates_;
  std::vector<std::string> dirty_nodes_;
  std::vector<api::NodePhase> phases_before_;  ///< of the first of those, until Events tell of them
  bool dirty_status_ = false;
  PublishedStatus published_;
  bool collects_artifacts_ = false;  ///< some of its artifacts are to be deleted
  doc::Value expiring_;              ///< what tells when the workflow is deleted, once it has ended
  WorkflowMetadata metadata_;        ///< of a run that begins: what its first write brings
  doc::Object pending_fields_;       ///< of the status, beside those of the run
  doc::Object found_templates_;      ///< of status.storedTemplates those that references with tags have come to
  doc::Shared completed_spec_;       ///< with workflowDefaults in it, until that is written
  std::vector<PodToCreate> pods_to_create_;
  std::map<std::string, engine::CreatePod> held_pods_;  ///< by node, which wait for their turn to be created
  std::vector<std::string> pods_to_stop_;
  std::optional<std::int64_t> priority_;    ///< spec.priority of the workflow itself, as it is now
  std::set<std::string> locks_to_release_;  ///< of these holders, once what has been applied is written
  PodGc pod_gc_;
  std::vector<std::string> pods_to_expire_;
  std::size_t writes_under_way_ = 0;
  bool write_failed_ = false;
  bool done_ = false;
  Duration retry_delay_{};
  Executor::TimerId retry_timer_ = 0;

  std::string requests_;                        ///< the annotation as last seen
  std::vector<std::string> requests_in_inbox_;  ///< ids whose events wait
  std::set<std::string> done_requests_;         ///< ids carried out, whose entries are still there
  bool requests_unsaved_ = false;
  bool retry_unsaved_ = false;           ///< a user's retry has been carried out, and is still asked for
  std::set<std::string> replaced_pods_;  ///< uids of those that the retry removes: what they report does not count
  bool pruning_ = false;
};

}  // namespace tiphys::controllers
