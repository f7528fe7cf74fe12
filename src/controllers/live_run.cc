#include "controllers/live_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "controllers/live_run_opening.h"
#include "controllers/names.h"
#include "controllers/node_requests.h"
#include "controllers/owner_reference.h"
#include "controllers/pod_status.h"

namespace tiphys::controllers {
namespace {

using PodPhase = engine::PodChanged::Phase;

cluster::Key key_of(const doc::Value& workflow) {
  return {&cluster::kWorkflows, std::string(doc::find_string(workflow, "metadata", "namespace")),
          std::string(doc::find_string(workflow, "metadata", "name"))};
}

}  // namespace

LiveRun::LiveRun(RunEnvironment environment, cluster::Object workflow, std::shared_ptr<void> opening,
                 std::move_only_function<void()> on_done)
    : environment_(environment),
      key_(key_of(*workflow)),
      uid_(doc::find_string(*workflow, "metadata", "uid")),
      on_done_(std::move(on_done)),
      opening_(std::make_unique<Opening>()),
      events_(environment.executor, environment.cluster, environment.config,
              {&cluster::kWorkflows, key_.ns, key_.name, uid_}),
      trace_(environment.spans, key_.ns, key_.name, uid_) {
  opening_->workflow = std::move(workflow);
  opening_->token = std::move(opening);
}

LiveRun::~LiveRun() {
  environment_.executor.cancel(timer_);
  environment_.executor.cancel(retry_timer_);
}

void LiveRun::finish() {
  done_ = true;
  environment_.executor.cancel(std::exchange(timer_, 0));
  environment_.executor.cancel(std::exchange(retry_timer_, 0));
  actions_.clear();
  agent_pod_.reset();
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
  if (is_agent_pod(pod)) {
    has_agent_pod_ = true;
    return;
  }
  pod_gc_.saw(pod);
  push(read_pod(pod));
}

void LiveRun::pod_deleted(const doc::Value& pod) {
  if (owned_by(pod, uid_) && !replaced(pod, true) && !is_agent_pod(pod)) push(read_deleted_pod(pod));
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
  for (const auto& [id, pod] : held_pods_) present.insert(id);
  for (const auto& [id, running] : pods_) {
    if (!present.contains(id)) push(gone_pod(id));
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
    const Time begun = self.environment_.executor.now();
    self.flush();
    self.environment_.metrics.operated(std::max(self.environment_.executor.now() - begun, Duration(0)));
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
  phases_before_ = std::move(changes.phases);
  dirty_status_ = changes.status || run_->status().finished();
  std::ranges::copy(pod_gc_.take_due(run_->status().phase), std::back_inserter(pods_to_expire_));
  if (run_->status().finished() && std::exchange(has_agent_pod_, false)) {
    pods_to_stop_.push_back(agent_pod_name(key_.name));
  }
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
  if (lives || it != pods_.end()) count_pod(change, it == pods_.end(), ran);
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
  } else if (const auto* find = std::get_if<engine::FindTemplate>(&effect)) {
    find_template(find->ref);
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
  Result<doc::Value> document = build_pod(request);
  if (!document) {
    pod_refused(request, document.error().message);
    return;
  }
  if (!environment_.pod_rate.take()) return hold_pod(std::move(request));
  if (pods_.emplace(request.node_id, false).second) environment_.metrics.pod_entered(key_.ns, "Pending");
  pods_to_create_.push_back({std::move(request), std::move(*document)});
}

Result<doc::Value> LiveRun::build_pod(const engine::CreatePod& request) const {
  return pod_builder_->build(request, trace_.traceparent(request.node_id, run_->status().started_at));
}

/// Too many pods are being created: the node says so until it is the turn of its own.
void LiveRun::hold_pod(engine::CreatePod request) {
  engine::PodChanged waits;
  waits.node_id = request.node_id;
  waits.phase = PodPhase::kPending;
  waits.message = kPodRateReached;
  inbox_.emplace_back(std::move(waits));
  std::string id = request.node_id;
  if (!held_pods_.insert_or_assign(id, std::move(request)).second) return;
  environment_.pod_rate.wait([weak = weak_from_this(), id = std::move(id)] {
    const auto self = weak.lock();
    return self && !self->done_ && self->release_pod(id);
  });
}

/// False when the pod is no longer wanted.
bool LiveRun::release_pod(const std::string& node_id) {
  auto held = held_pods_.extract(node_id);
  if (held.empty()) return false;
  pods_to_create_.push_back({std::move(held.mapped()), std::nullopt});
  if (!busy()) write();
  return true;
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
  if (removed + held_pods_.erase(request.node_id) == 0) pods_to_stop_.push_back(request.pod_name);
}

void LiveRun::run_action(engine::RunAction action) {
  std::string id = action.node_id;
  auto changed = guarded([](LiveRun& self, engine::ActionChanged change) {
    if (api::fulfilled(change.phase)) self.actions_.erase(change.node_id);
    self.push(std::move(change));
  });
  ActionRequest request{key_.ns, key_.name, uid_, std::move(action)};
  if (doc::find(*request.run.template_document, "plugin")) {
    make_agent_pod();
    request.agent_pod = agent_pod_;
  }
  if (doc::find(*request.run.template_document, "data") ||
      doc::find(*request.run.template_document, "resource", "manifestFrom")) {
    auto archive = pod_builder_->archive_location(*request.run.template_document, request.run.node_id);
    if (!archive) return action_refused(request.run, archive.error().message);
    request.archive_location = std::move(*archive);
  }
  actions_[std::move(id)] = environment_.actions.run(std::move(request), std::move(changed));
}

void LiveRun::action_refused(const engine::RunAction& action, std::string message) {
  engine::ActionChanged finished;
  finished.node_id = action.node_id;
  finished.phase = api::NodePhase::kError;
  finished.message = std::move(message);
  inbox_.emplace_back(std::move(finished));
}

void LiveRun::make_agent_pod() {
  has_agent_pod_ = true;
  if (agent_pod_) return;
  agent_pod_ = std::make_shared<AgentPod>(
      environment_.executor, environment_.cluster, environment_.random, AgentPod::Owner{key_.ns, key_.name, uid_},
      run_->workflow().spec.document, environment_.pod_rate, [this](const auto& plugins, const std::string& secret) {
        return pod_builder_->build_agent(agent_pod_name(key_.name), plugins, secret);
      });
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

}  // namespace tiphys::controllers
