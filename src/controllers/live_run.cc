#include "controllers/live_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/parse.h"
#include "base/log.h"
#include "controllers/expiry.h"
#include "controllers/fetch_references.h"
#include "controllers/names.h"
#include "controllers/node_requests.h"
#include "controllers/owner_reference.h"
#include "controllers/pod_status.h"
#include "controllers/refused.h"
#include "controllers/retry_request.h"

namespace tiphys::controllers {
namespace {

using PodPhase = engine::PodChanged::Phase;

bool wants_suspend(const doc::Value& workflow) {
  const doc::Value* suspend = doc::find(workflow, "spec", "suspend");
  return suspend && suspend->is_bool() && suspend->get_bool();
}

engine::PodChanged gone(std::string node_id) {
  engine::PodChanged change;
  change.node_id = std::move(node_id);
  change.phase = PodPhase::kGone;
  change.message = "pod deleted";
  return change;
}

cluster::Key key_of(const doc::Value& workflow) {
  return {&cluster::kWorkflows, std::string(doc::find_string(workflow, "metadata", "namespace")),
          std::string(doc::find_string(workflow, "metadata", "name"))};
}

}  // namespace

/// A run that is about to begin or to go on.
struct LiveRun::Opening {
  cluster::Object workflow;
  std::unordered_map<std::string, cluster::Object> pods;  ///< by node id
  std::vector<std::string> running;                       ///< nodes of pods that ran when the run was last written
  std::shared_ptr<void> token;                            ///< kept as long as this lasts
  bool resolved = false;                                  ///< what it refers to is known
  bool claimed = false;                                   ///< its storage is
  std::vector<api::NodeStatus> nodes;                     ///< with which it goes on
  std::optional<engine::ManualRetry> retry;               ///< what a user's retry has made of its nodes
  bool other_parameters = false;                          ///< the retry gives it some
  std::map<std::string, std::string> leaving;             ///< names of pods that go before it goes on, by uid
};

LiveRun::LiveRun(RunEnvironment environment, cluster::Object workflow, std::shared_ptr<void> opening,
                 std::move_only_function<void()> on_done)
    : environment_(environment),
      key_(key_of(*workflow)),
      uid_(doc::find_string(*workflow, "metadata", "uid")),
      on_done_(std::move(on_done)),
      opening_(std::make_unique<Opening>()) {
  opening_->workflow = std::move(workflow);
  opening_->token = std::move(opening);
}

LiveRun::~LiveRun() {
  environment_.executor.cancel(timer_);
  environment_.executor.cancel(retry_timer_);
}

// ---- Opening ----

void LiveRun::open(std::vector<cluster::Object> pods) {
  for (cluster::Object& pod : pods) {
    if (owned_by(*pod, uid_)) opening_->pods[std::string(node_id_of_pod(*pod))] = std::move(pod);
  }
  const doc::Value& workflow = *opening_->workflow;
  if (doc::find_string(workflow, "status", "phase").empty() && !has_completed_condition(workflow)) {
    begin(workflow, false);
  } else {
    load();
  }
}

void LiveRun::load() {
  environment_.cluster.get(
      key_, guarded([](LiveRun& self, Result<cluster::Object> workflow) { self.loaded(std::move(workflow)); }));
}

void LiveRun::loaded(Result<cluster::Object> workflow) {
  if (workflow) {
    // A namesake that came after a deletion is another run's.
    if (doc::find_string(**workflow, "metadata", "uid") != uid_) return finish();
    opening_->workflow = *workflow;
    const bool retried = retry_asked(**workflow);
    if (const Status ready = take_nodes(**workflow, retried); !ready) {
      return declare_broken(engine::RunStatus::Phase::kError, ready.error().message);
    }
    if (retried) return remove_pods();
    const bool begun = !doc::find_string(**workflow, "status", "phase").empty();
    // Those that another run has left it may have inputs that are others by now.
    opening_->other_parameters = !begun;
    return begin(**workflow, begun);
  }
  if (workflow.error().code == Code::kNotFound) return finish();
  try_again("workflow", workflow.error(), &LiveRun::load);
}

/// Of a retry: what is to become of its nodes. Nothing of it shows before it is written, in one piece.
Status LiveRun::take_nodes(const doc::Value& workflow, bool retried) {
  TIPHYS_TRY(opening_->nodes, read_nodes(workflow));
  if (!retried) return {};
  TIPHYS_TRY(RetryRequest request, parse_retry_request(workflow));
  opening_->other_parameters = request.other_parameters;
  opening_->retry = engine::retry_nodes(key_.name, std::move(opening_->nodes),
                                        {.restarted = std::move(request.restarted),
                                         .other_parameters = request.other_parameters,
                                         .now = environment_.executor.now()});
  opening_->nodes = std::move(opening_->retry->nodes);
  for (const std::string& id : opening_->retry->removed) {
    const auto pod = opening_->pods.extract(id);
    if (pod.empty()) continue;
    std::string uid(doc::find_string(*pod.mapped(), "metadata", "uid"));
    replaced_pods_.insert(uid);
    opening_->leaving.emplace(std::move(uid), doc::find_string(*pod.mapped(), "metadata", "name"));
  }
  return {};
}

/// Others will have their names.
void LiveRun::remove_pods() {
  if (opening_->leaving.empty()) return begin(*opening_->workflow, true);
  for (const auto& [uid, name] : opening_->leaving) {
    environment_.cluster.remove(
        {&cluster::kPods, key_.ns, name}, {.uid = uid},
        guarded([uid](LiveRun& self, const Result<cluster::Object>& answer) {
          // One that runs goes when it has been stopped: its watch tells.
          const bool stays = answer && !doc::find_string(**answer, "metadata", "deletionTimestamp").empty();
          const bool gone =
              !answer && (answer.error().code == Code::kNotFound || answer.error().code == Code::kAborted);
          if (gone || (answer && !stays)) return self.pod_left(uid);
          if (answer || !self.opening_ || self.retry_timer_ != 0) return;
          self.try_again("a pod of workflow", answer.error(), &LiveRun::remove_pods);
        }));
  }
}

void LiveRun::pod_left(const std::string& uid) {
  if (!opening_ || opening_->leaving.erase(uid) == 0 || !opening_->leaving.empty()) return;
  environment_.executor.cancel(std::exchange(retry_timer_, 0));
  begin(*opening_->workflow, true);
}

/// A pod that a retry removes, or has removed: only its going is of interest.
bool LiveRun::replaced(const doc::Value& pod, bool deleted) {
  const std::string uid(doc::find_string(pod, "metadata", "uid"));
  if (!replaced_pods_.contains(uid)) return false;
  if (deleted) pod_left(uid);
  return true;
}

void LiveRun::try_again(std::string_view what, const Error& error, void (LiveRun::*task)()) {
  log::warn("{} {}/{} could not be read and is tried again: {}", what, key_.ns, key_.name, error.message);
  retry_timer_ =
      environment_.executor.schedule(environment_.executor.now() + next_delay(), guarded([task](LiveRun& self) {
                                       self.retry_timer_ = 0;
                                       (self.*task)();
                                     }));
}

/// Nothing of the workflow is known to the plane yet but that it exists.
void LiveRun::begin_anew() {
  begin(*opening_->workflow, false);
}

/// Templates of other objects are taken as they are now, once for the whole run.
void LiveRun::resolve(const api::Workflow& workflow) {
  fetch_references(environment_.cluster, workflow, guarded([](LiveRun& self, Result<api::References> references) {
                     if (references) return self.resolved(*references);
                     self.try_again("a template of workflow", references.error(), &LiveRun::begin_anew);
                   }));
}

void LiveRun::resolved(const api::References& references) {
  if (const std::optional<Error>& error = references.error()) {
    const bool invalid = error->code == Code::kInvalidArgument;
    return declare_broken(invalid ? engine::RunStatus::Phase::kFailed : engine::RunStatus::Phase::kError,
                          invalid ? "invalid spec: " + error->message : error->message);
  }
  opening_->resolved = true;
  pending_fields_ = references.status_fields();
  begin(references.stored_in(*opening_->workflow), false);
}

/// What arguments take from ConfigMaps is taken once: the status keeps it for a restart.
Status LiveRun::give_arguments(api::Workflow& workflow) {
  TIPHYS_CHECK_OK(environment_.config_maps.give_arguments(workflow));
  if (workflow.config_map_arguments.empty()) return {};
  doc::Object& kept = pending_fields_["configMapArguments"].emplace_object();
  for (const auto& [name, value] : workflow.config_map_arguments) kept[name] = value;
  return {};
}

/// Labels and annotations that come with the beginning: the original's, and those that the spec asks for.
Status LiveRun::give_metadata(api::Workflow& workflow) {
  if (const auto& ref = workflow.spec.workflow_template_ref) {
    metadata_.labels.emplace(ref->cluster_scope ? kClusterWorkflowTemplateLabel : kWorkflowTemplateLabel, ref->name);
    workflow.labels.insert(metadata_.labels.begin(), metadata_.labels.end());
  }
  TIPHYS_TRY(const WorkflowMetadata own,
             workflow_metadata(workflow, expr::Ambient{environment_.executor.now(), &environment_.random}));
  for (const auto& [name, value] : own.labels) metadata_.labels[name] = workflow.labels[name] = value;
  for (const auto& [name, value] : own.annotations) metadata_.annotations[name] = workflow.annotations[name] = value;
  return {};
}

bool LiveRun::lacks_claims(const doc::Value& workflow) const {
  if (claims_.empty() || opening_->claimed) return false;
  const doc::Value* noted = doc::find(workflow, "status", "persistentVolumeClaims");
  return !noted || !noted->is_array() || noted->get_array().size() != claims_.documents().size();
}

/// Makes the storage that the workflow claims, then begins.
void LiveRun::claim(const doc::Value& workflow, bool restore) {
  auto whole = std::make_shared<const doc::Value>(workflow);
  make_claims(
      environment_.cluster, key_.ns, claims_, uid_,
      guarded([whole = std::move(whole), restore](LiveRun& self, const Status& made) {
        if (made) {
          self.opening_->claimed = true;
          self.pending_fields_["persistentVolumeClaims"] = self.claims_.volumes();
          return self.begin(*whole, restore);
        }
        if (refused_for_good(made.error())) {
          return self.declare_broken(engine::RunStatus::Phase::kError, "pvc create error: " + made.error().message);
        }
        self.opening_->resolved = false;
        self.try_again("the storage of workflow", made.error(), restore ? &LiveRun::load : &LiveRun::begin_anew);
      }));
}

Status LiveRun::create_run(api::Workflow parsed, const doc::Value& workflow, bool restore) {
  TIPHYS_TRY(pod_gc_, PodGc::of(*parsed.spec.document));
  TIPHYS_TRY(engine::RunStatus status, read_run_status(workflow));
  std::vector<api::NodeStatus> nodes = std::move(opening_->nodes);
  published_.went_on = has_completed_condition(workflow);
  if (!restore && nodes.empty()) {
    TIPHYS_TRY(run_, engine::Run::create(std::move(parsed), environment_.random));
    return {};
  }
  if (opening_->retry) {
    published_.any = true;
    published_.status = status;
  }
  for (const api::NodeStatus& node : nodes) {
    const bool runs_pod = node.type == api::NodeType::kPod && node.phase == api::NodePhase::kRunning;
    if (runs_pod) opening_->running.push_back(node.id);
  }
  TIPHYS_TRY(run_, engine::Run::restore(std::move(parsed), std::move(status), std::move(nodes), environment_.random));
  return {};
}

void LiveRun::begin(const doc::Value& workflow, bool restore) {
  expiring_ = ttl_strategies(workflow);
  if (restore) {
    // So that what is no more is taken away; an error comes up again below.
    if (Result<engine::RunStatus> known = read_run_status(workflow)) published_.status = std::move(*known);
  }
  Result<api::Workflow> parsed = api::parse_stored_workflow(workflow);
  if (!parsed) return declare_broken(engine::RunStatus::Phase::kError, parsed.error().message);
  if (!restore && !opening_->resolved && !api::References(*parsed).wanted().empty()) return resolve(*parsed);
  if (!restore) {
    std::vector<api::Finding> findings;
    api::validate_workflow(*parsed, findings, {.references = true});
    for (const api::Finding& finding : findings) {
      if (!finding.is_error()) continue;
      return declare_broken(engine::RunStatus::Phase::kFailed, "invalid spec: " + finding.message);
    }
    if (const Status given = give_arguments(*parsed); !given) {
      return declare_broken(engine::RunStatus::Phase::kFailed,
                            "failed to set global parameters: " + given.error().message);
    }
  }
  if (const Status given = restore ? Status() : give_metadata(*parsed); !given) {
    return declare_broken(engine::RunStatus::Phase::kError, given.error().message);
  }
  pod_builder_.emplace(*parsed, expr::Ambient{environment_.executor.now(), &environment_.random});
  if (const Result<doc::Shared>& spec = pod_builder_->workflow_spec()) {
    claims_ = WorkflowClaims::of(**spec, key_.name, uid_);
  }
  if (lacks_claims(workflow)) return claim(workflow, restore);
  if (const Status created = create_run(std::move(*parsed), workflow, restore); !created) {
    return declare_broken(engine::RunStatus::Phase::kError, created.error().message);
  }
  suspend_ = wants_suspend(workflow);
  done_requests_ =
      parse_done_requests(doc::find_string(workflow, "metadata", "annotations", kNodeRequestsDoneAnnotation));
  observe(std::make_shared<const doc::Value>(workflow));
  schedule_flush();
}

void LiveRun::declare_broken(engine::RunStatus::Phase phase, std::string message) {
  log::error("workflow {}/{} cannot be run: {}", key_.ns, key_.name, message);
  const Time now = environment_.executor.now();
  run_.reset();
  broken_.phase = phase;
  broken_.message = std::move(message);
  const std::string_view started = doc::find_string(*opening_->workflow, "status", "startedAt");
  broken_.started_at = parse_rfc3339(started).value_or(now);
  broken_.finished_at = now;
  opening_.reset();
  dirty_status_ = true;
  write();
}

/// Lets the run ask again for what may have been lost, and tells it what has become of its pods meanwhile.
void LiveRun::start_opening() {
  std::vector<engine::Effect> effects;
  tell_config_maps(effects);
  apply(engine::Started{.other_parameters = opening_->other_parameters}, effects);
  std::set<std::string> asked;
  for (const engine::Effect& effect : effects) {
    if (const auto* action = std::get_if<engine::RunAction>(&effect)) asked.insert(action->node_id);
  }
  std::set<std::string> lost;
  for (std::string& id : opening_->running) {
    if (!opening_->pods.contains(id) && !asked.contains(id)) lost.insert(std::move(id));
  }
  std::deque<engine::Event> news;
  for (const auto& [id, pod] : opening_->pods) {
    pod_gc_.saw(*pod);
    news.emplace_back(read_pod(*pod));
  }
  for (const std::string& id : lost) news.emplace_back(gone(id));
  for (engine::Event& event : inbox_) news.push_back(std::move(event));
  inbox_ = std::move(news);
  for (engine::Effect& effect : effects) {
    const auto* pod = std::get_if<engine::CreatePod>(&effect);
    // A pod that has run is not run again behind the run's back: it hears that the pod is gone and decides.
    if (!pod || !lost.contains(pod->node_id)) carry_out(std::move(effect));
  }
}

void LiveRun::finish() {
  done_ = true;
  environment_.executor.cancel(std::exchange(timer_, 0));
  environment_.executor.cancel(std::exchange(retry_timer_, 0));
  actions_.clear();
  opening_.reset();
  std::exchange(on_done_, {})();
}

// ---- Events ----

void LiveRun::observe(cluster::Object workflow) {
  if (!run_) {
    if (opening_) opening_->workflow = std::move(workflow);
    return;
  }
  if (const bool suspend = wants_suspend(*workflow); suspend != suspend_) {
    suspend_ = suspend;
    store_spec(*workflow);
    push(engine::SuspendChanged{suspend});
  }
  const std::string_view shutdown = doc::find_string(*workflow, "spec", "shutdown");
  if (!shutdown.empty() && shutdown != shutdown_) {
    shutdown_ = shutdown;
    store_spec(*workflow);
    push(engine::ShutdownRequested{shutdown_, ""});
  }
  if (const doc::Value* priority = doc::find(*workflow, "spec", "priority");
      priority && priority->is_int64() && priority_ != priority->get_int64()) {
    priority_ = priority->get_int64();
    environment_.locks.set_priority(fmt::format("{}/{}", key_.ns, key_.name), *priority_);
  }
  observe_requests(*workflow);
}

/// What users change of their spec while it runs is changed in the stored one too.
void LiveRun::store_spec(const doc::Value& workflow) {
  if (!run_->workflow().joined) return;
  doc::Value spec = *run_->workflow().spec.document;
  for (const char* name : {"suspend", "shutdown"}) {
    const doc::Value* value = doc::find(workflow, "spec", name);
    if (value && !value->is_null()) {
      spec.as_object()[name] = *value;
    } else {
      spec.as_object().erase(name);
    }
  }
  pending_fields_["storedWorkflowTemplateSpec"] = std::move(spec);
}

void LiveRun::observe_requests(const doc::Value& workflow) {
  const std::string_view text = doc::find_string(workflow, "metadata", "annotations", kNodeRequestsAnnotation);
  if (text == requests_) return;
  requests_ = text;
  if (text.empty()) {
    done_requests_.clear();
    return;
  }
  Result<std::vector<NodeRequest>> requests = parse_node_requests(text);
  if (!requests) {
    log::warn("workflow {}/{}: annotation {} is ignored: {}", key_.ns, key_.name, kNodeRequestsAnnotation,
              requests.error().message);
    return;
  }
  for (NodeRequest& request : *requests) {
    if (done_requests_.contains(request.id) ||
        std::ranges::find(requests_in_inbox_, request.id) != requests_in_inbox_.end())
      continue;
    requests_in_inbox_.push_back(std::move(request.id));
    push(std::move(request.event));
  }
  if (!busy()) prune_requests();
}

void LiveRun::pod_changed(const doc::Value& pod) {
  if (!owned_by(pod, uid_) || replaced(pod, false)) return;
  pod_gc_.saw(pod);
  push(read_pod(pod));
}

void LiveRun::pod_deleted(const doc::Value& pod) {
  if (owned_by(pod, uid_) && !replaced(pod, true)) push(read_deleted_pod(pod));
}

void LiveRun::pods_listed(const std::vector<cluster::Object>& pods) {
  std::set<std::string_view> present;
  std::set<std::string, std::less<>> uids;
  for (const cluster::Object& pod : pods) {
    uids.emplace(doc::find_string(*pod, "metadata", "uid"));
    if (!replaced(*pod, false)) present.insert(node_id_of_pod(*pod));
    pod_changed(*pod);
  }
  for (const std::string& uid : replaced_pods_) {
    if (!uids.contains(uid)) pod_left(uid);
  }
  for (const PodToCreate& pod : pods_to_create_) present.insert(pod.request.node_id);
  for (const auto& [id, running] : pods_) {
    if (!present.contains(id)) push(gone(id));
  }
}

void LiveRun::push(engine::Event event) {
  inbox_.push_back(std::move(event));
  schedule_flush();
}

void LiveRun::schedule_flush() {
  if (flush_posted_ || !run_ || busy()) return;
  flush_posted_ = true;
  environment_.executor.post(guarded([](LiveRun& self) {
    self.flush_posted_ = false;
    self.flush();
  }));
}

void LiveRun::flush() {
  if (!run_ || busy()) return;
  if (opening_) start_opening();
  std::vector<engine::Effect> effects;
  tell_config_maps(effects);
  while (!inbox_.empty()) {
    const engine::Event event = std::move(inbox_.front());
    inbox_.pop_front();
    apply(event, effects);
    for (engine::Effect& effect : effects) carry_out(std::move(effect));
    effects.clear();
  }
  conclude_metrics();
  requests_unsaved_ = !requests_in_inbox_.empty();
  for (std::string& id : std::exchange(requests_in_inbox_, {})) done_requests_.insert(std::move(id));
  engine::Run::Changes changes = run_->take_changes();
  dirty_nodes_ = std::move(changes.nodes);
  dirty_status_ = changes.status || run_->status().finished();
  std::ranges::copy(pod_gc_.take_due(run_->status().phase), std::back_inserter(pods_to_expire_));
  if (opening_ && opening_->retry) note_retry(*opening_->retry);
  opening_.reset();
  if (has_writes()) return write();
  release_locks();
}

/// What the retry has changed is written along with what follows from it.
void LiveRun::note_retry(engine::ManualRetry& retry) {
  retry_unsaved_ = true;
  std::set<std::string> known(dirty_nodes_.begin(), dirty_nodes_.end());
  for (auto* ids : {&retry.changed, &retry.removed}) {
    for (std::string& id : *ids) {
      if (known.insert(id).second) dirty_nodes_.push_back(std::move(id));
    }
  }
}

void LiveRun::apply(const engine::Event& event, std::vector<engine::Effect>& effects) {
  if (const auto* pod = std::get_if<engine::PodChanged>(&event)) note_pod(*pod);
  run_->apply(event, environment_.executor.now(), effects);
}

/// Before what begins now reads them.
void LiveRun::tell_config_maps(std::vector<engine::Effect>& effects) {
  if (config_maps_ == environment_.config_maps.current()) return;
  config_maps_ = environment_.config_maps.current();
  apply(engine::ConfigMapsChanged{config_maps_}, effects);
}

void LiveRun::note_pod(const engine::PodChanged& change) {
  const auto it = pods_.find(change.node_id);
  const bool lives = change.phase == PodPhase::kPending || change.phase == PodPhase::kRunning;
  const bool runs = change.phase == PodPhase::kRunning;
  const bool ran = it != pods_.end() && it->second;
  if (runs && !ran) ++running_pods_;
  if (ran && !runs) --running_pods_;
  if (lives) {
    pods_[change.node_id] = runs;
  } else if (it != pods_.end()) {
    pods_.erase(it);
  }
}

// ---- Effects ----

void LiveRun::carry_out(engine::Effect effect) {
  if (auto* pod = std::get_if<engine::CreatePod>(&effect)) {
    create_pod(std::move(*pod));
  } else if (const auto* stop = std::get_if<engine::StopPod>(&effect)) {
    stop_pod(*stop);
  } else if (auto* action = std::get_if<engine::RunAction>(&effect)) {
    run_action(std::move(*action));
  } else if (const auto* end = std::get_if<engine::StopAction>(&effect)) {
    actions_.erase(end->node_id);
  } else if (auto* look_up = std::get_if<engine::LookUpCache>(&effect)) {
    environment_.cache.look_up(key_.ns, std::move(*look_up), guarded([](LiveRun& self, engine::CacheAnswered answer) {
                                 self.push(std::move(answer));
                               }));
  } else if (auto* save = std::get_if<engine::SaveCache>(&effect)) {
    environment_.cache.save(key_.ns, std::move(*save));
  } else if (auto* locks = std::get_if<engine::AcquireLocks>(&effect)) {
    acquire_locks(std::move(*locks));
  } else if (auto* release = std::get_if<engine::ReleaseLocks>(&effect)) {
    locks_to_release_.insert(std::move(release->holder));
  } else if (const auto* timer = std::get_if<engine::SetTimer>(&effect)) {
    set_timer(timer->when);
  } else if (const auto* metric = std::get_if<engine::EmitMetric>(&effect)) {
    emit(*metric);
  }
}

void LiveRun::create_pod(engine::CreatePod request) {
  if (opening_) {
    if (const auto it = opening_->pods.find(request.node_id); it != opening_->pods.end()) {
      push(read_pod(*it->second));
      return;
    }
  }
  Result<doc::Value> document = pod_builder_->build(request);
  if (!document) {
    pod_refused(request, document.error().message);
    return;
  }
  pods_.emplace(request.node_id, false);
  pods_to_create_.push_back({std::move(request), std::move(*document)});
}

void LiveRun::pod_refused(const engine::CreatePod& request, std::string message) {
  engine::PodChanged change;
  change.node_id = request.node_id;
  change.phase = PodPhase::kError;
  change.message = std::move(message);
  change.finished_at = environment_.executor.now();
  inbox_.emplace_back(std::move(change));
}

void LiveRun::stop_pod(const engine::StopPod& request) {
  const std::size_t removed =
      std::erase_if(pods_to_create_, [&](const PodToCreate& pod) { return pod.request.node_id == request.node_id; });
  if (removed == 0) pods_to_stop_.push_back(request.pod_name);
}

void LiveRun::run_action(engine::RunAction action) {
  std::string id = action.node_id;
  auto done = guarded([](LiveRun& self, engine::ActionFinished finished) {
    self.actions_.erase(finished.node_id);
    self.push(std::move(finished));
  });
  actions_[std::move(id)] = environment_.actions.run({key_.ns, key_.name, uid_, std::move(action)}, std::move(done));
}

void LiveRun::acquire_locks(engine::AcquireLocks request) {
  locks_to_release_.erase(request.request.holder);
  if (priority_) request.request.priority = *priority_;
  environment_.locks.acquire(
      std::move(request), guarded([](LiveRun& self, engine::LocksAnswered answer) { self.push(std::move(answer)); }));
}

/// Only now is it on disk that the locks are no longer held: whoever gets them next is written after that.
void LiveRun::release_locks() {
  for (const std::string& holder : std::exchange(locks_to_release_, {})) environment_.locks.release(holder);
}

void LiveRun::set_timer(Time when) {
  environment_.executor.cancel(timer_);
  timer_ = environment_.executor.schedule(when, guarded([](LiveRun& self) {
                                            self.timer_ = 0;
                                            self.push(engine::TimerFired{});
                                          }));
}

void LiveRun::emit(const engine::EmitMetric& metric) {
  if (const Status taken = environment_.metrics.emit(metric, uid_); !taken) {
    run_->metric_refused(fmt::format("could not construct metric '{}': {}", metric.name, taken.error().message));
  }
}

/// What is said of metrics once events are applied.
void LiveRun::conclude_metrics() {
  const engine::RunStatus& status = run_->status();
  if (status.finished()) environment_.metrics.complete(uid_, status.finished_at);
  if (status.metrics_error == told_metrics_error_) return;
  told_metrics_error_ = status.metrics_error;
  log::warn("metrics of workflow {}/{}: {}", key_.ns, key_.name, status.metrics_error);
}

}  // namespace tiphys::controllers
