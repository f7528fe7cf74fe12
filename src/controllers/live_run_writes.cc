// How a run's state and pods reach the plane.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "cluster/pod_annotations.h"
#include "controllers/expiry.h"
#include "controllers/live_run.h"
#include "controllers/names.h"
#include "controllers/node_requests.h"
#include "controllers/owner_reference.h"
#include "controllers/pod_status.h"
#include "controllers/refused.h"

namespace tiphys::controllers {
namespace {

bool terminating(const doc::Value& object) {
  return !doc::find_string(object, "metadata", "deletionTimestamp").empty();
}

}  // namespace

bool LiveRun::changes_status() const {
  return dirty_status_ || !dirty_nodes_.empty() || requests_unsaved_ || retry_unsaved_ || !pending_fields_.empty();
}

bool LiveRun::has_writes() const {
  return changes_status() || !pods_to_create_.empty() || !pods_to_stop_.empty() || !pods_to_expire_.empty();
}

void LiveRun::write() {
  write_failed_ = false;
  if (run_ && claims_.given_back(run_->status().phase)) return give_back_claims();
  if (changes_status()) write_status();
  write_pods();
  events_.write();
}

/// Before the workflow's end is on disk: after a crash the run comes by here again.
void LiveRun::give_back_claims() {
  ++writes_under_way_;
  remove_claims(environment_.cluster, key_.ns, claims_, guarded([](LiveRun& self, const Status& answer) {
                  const bool passing = !answer && !refused_for_good(answer.error());
                  if (!answer) {
                    log::warn("claims of workflow {}/{} are kept{}: {}", self.key_.ns, self.key_.name,
                              passing ? " and removed later" : "", answer.error().message);
                  }
                  if (answer) self.pending_fields_["persistentVolumeClaims"] = nullptr;
                  if (!passing) self.claims_ = {};
                  self.wrote(passing);
                }));
}

cluster::WorkflowStatusUpdate LiveRun::status_update() {
  cluster::WorkflowStatusUpdate update;
  update.nodes.reserve(dirty_nodes_.size());
  for (std::size_t i = 0; i < dirty_nodes_.size(); ++i) {
    const std::string& id = dirty_nodes_[i];
    std::optional<api::NodeStatus> node = run_->find_node(id);
    if (node) node->estimated_seconds = estimates_.of_node(id, node->name);
    update.nodes.push_back({id, node ? api::to_json(*node) : std::string()});
    if (!node || i >= phases_before_.size()) continue;
    events_.node_changed(*node, phases_before_[i]);
    trace_.node_changed(*node, phases_before_[i], run_->status().started_at, environment_.executor.now());
  }
  phases_before_.clear();
  update.fields = pending_fields_;
  update.spec = completed_spec_;
  if (!published_.any) {
    for (const auto& [name, value] : metadata_.labels) update.labels[name] = value;
    for (const auto& [name, value] : metadata_.annotations) update.annotations[name] = value;
  }
  const engine::RunStatus& status = run_ ? run_->status() : broken_;
  const bool expires = time_to_live(expiring_, engine::phase_name(status.phase)).has_value();
  if (status.finished() && (expires || collects_artifacts_)) {
    update.labels[kExpiresLabel] = "true";
  }
  if (retry_unsaved_) update.annotations[kRetryAnnotation] = nullptr;
  if (requests_unsaved_) update.annotations[kNodeRequestsDoneAnnotation] = render_done_requests(done_requests_);
  return update;
}

void LiveRun::tell_of_workflow() {
  const auto tell = [&](const engine::RunStatus& now, engine::RunStatus::Phase before) {
    count_workflow(now, before);
    trace_.workflow_changed(now, before, environment_.executor.now());
  };
  if (!run_) return tell(broken_, events_.workflow_changed(broken_, false, false));
  const engine::RunStatus& status = run_->status();
  const auto& deadline = run_->workflow().spec.active_deadline_seconds;
  const bool failed = status.phase == engine::RunStatus::Phase::kFailed;
  const bool timed_out =
      failed && deadline && status.finished_at - status.started_at >= std::chrono::seconds(*deadline);
  tell(status, events_.workflow_changed(status, true, timed_out));
}

void LiveRun::write_status() {
  tell_of_workflow();
  cluster::WorkflowStatusUpdate update = status_update();
  PublishedStatus next = published_.add_changes(run_ ? run_->status() : broken_, running_pods_ > 0, update);
  ++writes_under_way_;
  environment_.cluster.update_workflow_status(
      key_, std::move(update),
      guarded([next = std::move(next), fields = std::exchange(pending_fields_, {})](LiveRun& self,
                                                                                    Result<void> answer) mutable {
        if (!answer) {
          // Those that came meanwhile are newer.
          for (auto& [key, value] : fields) self.pending_fields_.emplace(key, std::move(value));
        }
        if (answer) {
          self.published_ = std::move(next);
          self.dirty_nodes_.clear();
          self.dirty_status_ = false;
          self.requests_unsaved_ = false;
          self.retry_unsaved_ = false;
          self.completed_spec_.reset();
        } else if (answer.error().code == Code::kNotFound) {
          return self.finish();
        } else {
          log::warn("the status of workflow {}/{} is written again: {}", self.key_.ns, self.key_.name,
                    answer.error().message);
        }
        self.wrote(!answer);
      }));
}

void LiveRun::write_pods() {
  for (PodToCreate& pod : std::exchange(pods_to_create_, {})) {
    if (!pod.document) {
      Result<doc::Value> document = build_pod(pod.request);
      TIPHYS_CHECK(document.has_value(), "a pod that could be built once can be built again");
      pod.document = std::move(*document);
    }
    doc::Value document = std::move(*pod.document);
    pod.document.reset();
    ++writes_under_way_;
    environment_.cluster.create(cluster::kPods, std::move(document),
                                guarded([pod = std::move(pod)](LiveRun& self, Result<cluster::Object> answer) mutable {
                                  self.pod_created(std::move(pod), answer);
                                }));
  }
  patch_pods(&LiveRun::pods_to_stop_,
             {{"metadata", {{"annotations", {{std::string(cluster::kEndAnnotation), "true"}}}}}});
  // Along with what the run learnt from them: a pod does not go before that is on disk.
  const auto due = std::chrono::ceil<std::chrono::seconds>(environment_.executor.now() + pod_gc_.delay());
  patch_pods(
      &LiveRun::pods_to_expire_,
      {{"metadata", {{"labels", {{std::string(kExpiresLabel), std::to_string(due.time_since_epoch().count())}}}}}});
}

void LiveRun::patch_pods(std::vector<std::string> LiveRun::* pods, const doc::Value& patch) {
  for (std::string& name : std::exchange(this->*pods, {})) {
    ++writes_under_way_;
    const cluster::Key key{&cluster::kPods, key_.ns, name};
    environment_.cluster.patch(
        key, cluster::PatchType::kMerge, patch,
        guarded([pods, name = std::move(name)](LiveRun& self, const Result<cluster::Object>& answer) mutable {
          const bool failed = !answer && answer.error().code != Code::kNotFound;
          if (failed) (self.*pods).push_back(std::move(name));
          self.wrote(failed);
        }));
  }
}

void LiveRun::pod_created(PodToCreate pod, const Result<cluster::Object>& answer) {
  if (answer) return wrote(false);
  const Error& error = answer.error();
  if (error.code == Code::kAlreadyExists) {
    cluster::Key key{&cluster::kPods, key_.ns, pod.request.pod_name};
    environment_.cluster.get(key,
                             guarded([pod = std::move(pod)](LiveRun& self, Result<cluster::Object> existing) mutable {
                               self.adopt(std::move(pod), existing);
                             }));
    return;
  }
  if (refused_for_good(error)) {
    pod_refused(pod.request, error.message);
    return wrote(false);
  }
  log::debug("pod {} is created again: {}", pod.request.pod_name, error.message);
  pods_to_create_.push_back(std::move(pod));
  wrote(true);
}

void LiveRun::adopt(PodToCreate pod, const Result<cluster::Object>& existing) {
  if (existing && owned_by(**existing, uid_)) {
    inbox_.emplace_back(read_pod(**existing));
    return wrote(false);
  }
  if (existing && !terminating(**existing)) {
    pod_refused(pod.request, "pod " + pod.request.pod_name + " exists already and is not of this workflow");
    return wrote(false);
  }
  // It is going, or has gone since: the name will be free.
  pods_to_create_.push_back(std::move(pod));
  wrote(true);
}

void LiveRun::wrote(bool failed) {
  write_failed_ = write_failed_ || failed;
  if (--writes_under_way_ == 0) end_of_writes();
}

void LiveRun::end_of_writes() {
  if (write_failed_) {
    retry_timer_ =
        environment_.executor.schedule(environment_.executor.now() + next_delay(), guarded([](LiveRun& self) {
                                         self.retry_timer_ = 0;
                                         self.write();
                                       }));
    return;
  }
  retry_delay_ = Duration::zero();
  // The claims are given back, the end is still to be written.
  if (has_writes()) return write();
  release_locks();
  prune_requests();
  if (!run_ || run_->status().finished()) return finish();
  if (!inbox_.empty()) schedule_flush();
}

void LiveRun::prune_requests() {
  const bool all_done = !done_requests_.empty() && requests_in_inbox_.empty() && !requests_unsaved_;
  if (pruning_ || requests_.empty() || !all_done) return;
  pruning_ = true;
  environment_.cluster.patch(key_, cluster::PatchType::kJson, prune_requests_patch(requests_),
                             guarded([](LiveRun& self, const Result<cluster::Object>& answer) {
                               self.pruning_ = false;
                               // The next change of the workflow, or the next write, tries again.
                               if (!answer) log::debug("node requests stay noted: {}", answer.error().message);
                             }));
}

Duration LiveRun::next_delay() {
  retry_delay_ = retry_delay_ == Duration::zero() ? environment_.first_retry
                                                  : std::min(retry_delay_ * 2, environment_.longest_retry);
  return retry_delay_;
}

}  // namespace tiphys::controllers
