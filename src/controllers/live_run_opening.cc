// How a run begins, or goes on after a restart or a user's retry.
#include "controllers/live_run_opening.h"

#include <algorithm>
#include <utility>

#include "api/begun_workflow.h"
#include "api/join.h"
#include "api/parse.h"
#include "base/log.h"
#include "controllers/artifact_gc.h"
#include "controllers/artifact_repository.h"
#include "controllers/expiry.h"
#include "controllers/fetch_references.h"
#include "controllers/names.h"
#include "controllers/node_requests.h"
#include "controllers/owner_reference.h"
#include "controllers/pod_status.h"
#include "controllers/refused.h"
#include "controllers/restrictions.h"
#include "controllers/retry_request.h"

namespace tiphys::controllers {

void LiveRun::open(std::vector<cluster::Object> pods) {
  for (cluster::Object& pod : pods) {
    if (!owned_by(*pod, uid_)) continue;
    if (is_agent_pod(*pod)) {
      has_agent_pod_ = true;
    } else {
      opening_->pods[std::string(node_id_of_pod(*pod))] = std::move(pod);
    }
  }
  environment_.executor.cancel(std::exchange(retry_timer_, 0));
  opening_->opened = true;
  const doc::Value& workflow = *opening_->workflow;
  if (!has_begun(workflow) && !has_completed_condition(workflow)) {
    begin(workflow, false);
  } else {
    load();
  }
}

const doc::Value& LiveRun::unopened() const {
  return *opening_->workflow;
}

void LiveRun::postpone() {
  environment_.executor.cancel(std::exchange(retry_timer_, 0));
  if (!published_.status.message.empty()) return;
  published_.status.message = doc::find_string(unopened(), "status", "message");
  if (!published_.status.message.empty()) return;
  published_.status.message = kPostponed;
  environment_.cluster.update_workflow_status(key_, postponed_status(),
                                              guarded([](LiveRun& self, const Result<void>& answer) {
                                                const bool waits = self.opening_ && !self.opening_->opened;
                                                if (answer || !waits || answer.error().code == Code::kNotFound) return;
                                                self.published_.status.message.clear();
                                                self.try_again("workflow", answer.error(), &LiveRun::postpone);
                                              }));
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
    const bool begun = has_begun(**workflow);
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
  log::warn("{} {}/{} is tried again: {}", what, key_.ns, key_.name, error.message);
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
  fetch_references(environment_.cluster, workflow, api::spec_of_defaults(environment_.config.workflow_defaults),
                   guarded([](LiveRun& self, Result<api::References> references) {
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

/// Where its artifacts go is settled once for the whole run, too.
void LiveRun::find_repository(const doc::Value& workflow, const api::Workflow& parsed) {
  auto whole = std::make_shared<const doc::Value>(workflow);
  find_artifact_repository(
      environment_.cluster, parsed.ns, *parsed.spec.document, environment_.config.artifact_repository,
      guarded([whole = std::move(whole)](LiveRun& self, Result<doc::Value> found) {
        if (found) {
          self.pending_fields_["artifactRepositoryRef"] = *found;
          self.opening_->repository = std::move(*found);
          return self.begin(*whole, false);
        }
        if (found.error().code == Code::kInvalidArgument) {
          return self.declare_broken(engine::RunStatus::Phase::kError,
                                     "failed to resolve artifact repository: " + found.error().message);
        }
        self.try_again("the artifact repository of workflow", found.error(), &LiveRun::begin_anew);
      }));
}

/// A workflow of which artifacts are to be deleted has a finalizer. One that goes on, by a retry, may have lost it.
bool LiveRun::lacks_gc_finalizer(const doc::Value& workflow, const api::Workflow& parsed) {
  collects_artifacts_ = wants_artifact_gc(parsed);
  const bool begins = !doc::find(workflow, "status", "artifactGCStatus");
  if (begins || (opening_->retry && collects_artifacts_)) {
    doc::Object& status = pending_fields_["artifactGCStatus"].emplace_object();
    if (!collects_artifacts_) status["notSpecified"] = true;
  }
  return collects_artifacts_ && (begins || opening_->retry) && !opening_->finalized && !has_gc_finalizer(workflow);
}

void LiveRun::add_gc_finalizer(const doc::Value& workflow, bool restore) {
  auto whole = std::make_shared<const doc::Value>(workflow);
  environment_.cluster.patch(
      key_, cluster::PatchType::kStrategic,
      {{"metadata", {{"finalizers", doc::Array{doc::Value(kArtifactGcFinalizer)}}}}},
      guarded([whole = std::move(whole), restore](LiveRun& self, const Result<cluster::Object>& answer) {
        if (answer) {
          self.opening_->finalized = true;
          return self.begin(*whole, restore);
        }
        if (answer.error().code == Code::kNotFound) return self.finish();
        self.opening_->resolved = false;
        self.try_again("the finalizer of workflow", answer.error(), restore ? &LiveRun::load : &LiveRun::begin_anew);
      }));
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

/// True: it is being looked up, then the run begins; without an estimate where the plane cannot be read, for nothing
/// depends on it.
bool LiveRun::looks_up_estimates(const api::Workflow& parsed, const doc::Value& workflow, bool restore) {
  if (std::exchange(opening_->estimated, true)) return false;
  const std::string_view baseline = restore ? baseline_of(workflow) : std::string_view();
  const auto origin = restore ? std::nullopt : origin_of(parsed.labels);
  if (baseline.empty() && !origin) return false;
  auto whole = std::make_shared<const doc::Value>(workflow);
  auto done = guarded([whole = std::move(whole), restore](LiveRun& self, Result<Estimates> found) {
    if (!found) log::debug("workflow {}/{}: {}", self.key_.ns, self.key_.name, found.error().message);
    if (found) self.estimates_ = std::move(*found);
    self.begin(*whole, restore);
  });
  if (origin) {
    fetch_estimates(environment_.cluster, key_, *origin, std::move(done));
  } else {
    fetch_estimates(environment_.cluster, key_, baseline, std::move(done));
  }
  return true;
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
  TIPHYS_TRY(pod_gc_, PodGc::of(*parsed.spec.document, environment_.config.pod_gc_delay));
  TIPHYS_TRY(engine::RunStatus status, read_run_status(workflow));
  if (!restore) {
    for (const auto& [field, value] : estimates_.status_fields()) pending_fields_[field] = value;
  }
  std::vector<api::NodeStatus> nodes = std::move(opening_->nodes);
  published_.went_on = has_completed_condition(workflow);
  if (!restore && nodes.empty()) {
    TIPHYS_TRY(run_, engine::Run::create(std::move(parsed), environment_.random));
    return {};
  }
  if (opening_->retry) published_.any = true;
  for (const api::NodeStatus& node : nodes) {
    const bool runs_pod = node.type == api::NodeType::kPod && node.phase == api::NodePhase::kRunning;
    if (runs_pod) opening_->running.push_back(node.id);
  }
  estimates_.keep(nodes);
  TIPHYS_TRY(run_, engine::Run::restore(std::move(parsed), std::move(status), std::move(nodes), environment_.random));
  return {};
}

/// With what it leaves unsaid taken from workflowDefaults, which the first write brings.
Result<doc::Value> LiveRun::completed(const doc::Value& workflow) {
  TIPHYS_TRY(doc::Value whole, api::with_workflow_defaults(workflow, *environment_.config.workflow_defaults));
  for (const auto& [kind, own] : {std::pair("labels", &metadata_.labels), {"annotations", &metadata_.annotations}}) {
    const doc::Value* pairs = doc::find(whole, "metadata", kind);
    if (!pairs || !pairs->is_object()) continue;
    for (const auto& [name, value] : pairs->get_object()) {
      if (!doc::find(workflow, "metadata", kind, name)) (*own)[name] = doc::scalar_text(value);
    }
  }
  const doc::Value* spec = doc::find(whole, "spec");
  const doc::Value* written = doc::find(workflow, "spec");
  if (spec && written && *spec != *written) completed_spec_ = std::make_shared<const doc::Value>(*spec);
  return whole;
}

/// What has begun goes on, though this version would refuse it: the original looks at a workflow once, too.
Result<api::Workflow> LiveRun::read_begun(const doc::Value& workflow) const {
  std::vector<api::Finding> passed_over;
  Result<api::Workflow> parsed = api::parse_begun_workflow(workflow, passed_over);
  for (const api::Finding& finding : passed_over) {
    log::warn("workflow {}/{} goes on, though it would be refused now: {}", key_.ns, key_.name, finding.message);
  }
  return parsed;
}

void LiveRun::begin(const doc::Value& written, bool restore) {
  // Also of one that goes on: its spec, or the status that it came with, may be others' by now.
  if (const auto& restrictions = environment_.config.restrictions; restrictions.by_reference) {
    const Status allowed = check_restrictions(written, restrictions.also_allowed);
    if (!allowed) return declare_broken(engine::RunStatus::Phase::kError, allowed.error().message);
  }
  Result<doc::Value> whole;
  if (!restore && environment_.config.workflow_defaults) {
    whole = completed(written);
    if (!whole) return declare_broken(engine::RunStatus::Phase::kError, whole.error().message);
  }
  const doc::Value& workflow = whole->is_null() ? written : *whole;
  if (const auto told = doc::find_string(workflow, "status", "message"); !restore && !told.empty()) {
    published_.status.message = told;
  }
  expiring_ = ttl_strategies(workflow);
  if (restore) {
    // So that what is no more is taken away; an error comes up again below.
    if (Result<engine::RunStatus> known = read_run_status(workflow)) published_.status = std::move(*known);
    events_.went_on(published_.status.phase);
  }
  Result<api::Workflow> parsed = restore ? read_begun(workflow) : api::parse_stored_workflow(workflow);
  if (!parsed) return declare_broken(engine::RunStatus::Phase::kError, parsed.error().message);
  if (!restore && !opening_->resolved && !api::References(*parsed).wanted().empty()) return resolve(*parsed);
  if (!restore && !opening_->repository) return find_repository(workflow, *parsed);
  if (lacks_gc_finalizer(workflow, *parsed)) return add_gc_finalizer(workflow, restore);
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
  if (looks_up_estimates(*parsed, workflow, restore)) return;
  const expr::Ambient ambient{environment_.executor.now(), &environment_.random};
  const doc::Value* known = doc::find(workflow, "status", "artifactRepositoryRef");
  const doc::Value ref = opening_->repository ? *opening_->repository : known ? *known : doc::Value();
  auto repository = ArtifactRepository::of(ref, *parsed, ambient);
  if (!repository) {
    return declare_broken(engine::RunStatus::Phase::kError,
                          "failed to get artifact repository: " + repository.error().message);
  }
  pod_builder_.emplace(*parsed, ambient, std::move(*repository), environment_.config.main_container,
                       environment_.config.pod_gc_delay);
  claims_ = pod_builder_->claims();
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

void LiveRun::refuse(std::string message) {
  declare_broken(engine::RunStatus::Phase::kError, std::move(message));
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
  for (const std::string& id : lost) news.emplace_back(gone_pod(id));
  for (engine::Event& event : inbox_) news.push_back(std::move(event));
  inbox_ = std::move(news);
  for (engine::Effect& effect : effects) {
    const auto* pod = std::get_if<engine::CreatePod>(&effect);
    // A pod that has run is not run again behind the run's back: it hears that the pod is gone and decides.
    if (!pod || !lost.contains(pod->node_id)) carry_out(std::move(effect));
  }
}

}  // namespace tiphys::controllers
