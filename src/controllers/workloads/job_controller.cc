#include "controllers/workloads/job_controller.h"

#include <fmt/format.h>

#include "base/log.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/job_plan.h"
#include "controllers/workloads/owner.h"
#include "controllers/workloads/selection.h"

namespace tiphys::controllers::workloads {
namespace {

doc::Value without_finalizer() {
  return doc::Object{
      {"metadata", doc::Object{{"$deleteFromPrimitiveList/finalizers", doc::Array{kTrackingFinalizer}}}}};
}

bool is_job(const doc::Value& owner) {
  return doc::find_string(owner, "kind") == "Job" && doc::find_string(owner, "apiVersion").starts_with("batch/");
}

}  // namespace

void JobController::start() {
  queue_ = std::make_shared<WorkQueue>(
      view_->executor(), "Job", [this](const Name& name, WorkQueue::Finish finish) { look(name, std::move(finish)); });
  const auto weak = weak_from_this();
  view_->of(cluster::kJobs).listen([weak](const auto& before, const auto& after) {
    if (const auto self = weak.lock()) self->on_job(before, after);
  });
  view_->of(cluster::kPods).listen([weak](const auto& before, const auto& after) {
    if (const auto self = weak.lock()) self->on_pod(before, after);
  });
  for (const auto* resource : {&cluster::kJobs, &cluster::kPods}) {
    view_->of(*resource).when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all();
    });
  }
}

void JobController::look_at_all() {
  if (!view_->synced()) return;
  for (const auto& job : view_->of(cluster::kJobs).in_namespace("")) queue_->add({namespace_of(*job), name_of(*job)});
  for (const auto& pod : view_->of(cluster::kPods).in_namespace("")) on_pod(nullptr, pod);
}

void JobController::on_job(const cluster::Object& before, const cluster::Object& after) {
  const doc::Value& job = after ? *after : *before;
  queue_->add({namespace_of(job), name_of(job)});
  if (after || !view_->synced()) return;
  for (const auto& pod : view_->of(cluster::kPods).controlled_by(uid_of(job))) release_orphan(pod);
}

void JobController::on_pod(const cluster::Object& before, const cluster::Object& after) {
  if (!view_->synced()) return;
  const doc::Value& pod = after ? *after : *before;
  const doc::Value* owner = controller_of(pod);
  if (owner && is_job(*owner)) {
    const std::string name(doc::find_string(*owner, "name"));
    const auto job = view_->of(cluster::kJobs).find(namespace_of(pod), name);
    if (job && uid_of(*job) == doc::find_string(*owner, "uid")) return queue_->add({namespace_of(pod), name});
  }
  if (!after) return;
  if (has_tracking_finalizer(pod) && (!owner || is_job(*owner))) return release_orphan(after);
  if (owner) return;
  for (const auto& job : view_->of(cluster::kJobs).in_namespace(namespace_of(pod))) {
    if (selects(value_at(*job, "spec", "selector"), value_at(pod, "metadata", "labels")))
      queue_->add({namespace_of(*job), name_of(*job)});
  }
}

void JobController::release_orphan(const cluster::Object& pod) {
  if (!has_tracking_finalizer(*pod)) return;
  view_->patch(key_of(cluster::kPods, *pod), cluster::PatchType::kStrategic, without_finalizer(),
               [pod](const Result<cluster::Object>& answer) {
                 if (answer || answer.error().code == Code::kNotFound) return;
                 log::warn("pod {}/{} of a Job that is gone keeps its finalizer: {}", namespace_of(*pod), name_of(*pod),
                           answer.error().message);
               });
}

void JobController::look(const Name& name, WorkQueue::Finish finish) {
  if (!view_->synced()) return finish({});
  const auto job = view_->of(cluster::kJobs).find(name.first, name.second);
  if (!job) return finish({});
  if (const auto by = doc::find_string(*job, "spec", "managedBy");
      !by.empty() && by != "kubernetes.io/job-controller") {
    return finish({});
  }
  if (job_finished(*job)) return expire(job, std::move(finish));
  auto pods = belongings_of(view_->of(cluster::kPods), cluster::kJobs, *job, value_at(*job, "spec", "selector"));
  if (settle(*view_, cluster::kPods, pods, finish)) return queue_->add(name);
  carry_out(job, plan_job(*job, pods.mine, view_->executor().now()), finish);
}

void JobController::carry_out(const cluster::Object& job, JobPlan plan, const WorkQueue::Finish& finish) {
  if (plan.look_again) queue_->add_at({namespace_of(*job), name_of(*job)}, *plan.look_again);
  Answers answers([weak = weak_from_this(), release = std::move(plan.release), finish](Status outcome) {
    const auto self = weak.lock();
    if (!self) return;
    if (!outcome) return finish(std::move(outcome));
    self->release(release, finish);
  });
  for (doc::Value& pod : plan.create) {
    view_->create(cluster::kPods, std::move(pod),
                  [view = view_, job, told = answers.one()](Result<cluster::Object> answer) mutable {
                    if (answer) {
                      view->record(cluster::kJobs, *job, "Normal", "SuccessfulCreate",
                                   fmt::format("Created pod: {}", name_of(**answer)));
                    }
                    told(std::move(answer));
                  });
  }
  for (const auto& pod : plan.remove) {
    if (plan.remove_uncounted && has_tracking_finalizer(*pod)) {
      view_->patch(key_of(cluster::kPods, *pod), cluster::PatchType::kStrategic, without_finalizer(),
                   answers.one_unless_gone());
    }
    view_->remove(cluster::kPods, *pod, answers.one_unless_gone());
    view_->record(cluster::kJobs, *job, "Normal", "SuccessfulDelete", fmt::format("Deleted pod: {}", name_of(*pod)));
  }
  if (value_at(*job, "status") != doc::Value(plan.status)) {
    doc::Value written = *job;
    written.get_object()["status"] = std::move(plan.status);
    view_->update(cluster::kJobs, std::move(written), answers.one_unless_gone());
    for (const JobPlan::Note& note : plan.notes)
      view_->record(cluster::kJobs, *job, note.type, note.reason, note.message);
  }
  answers.close();
}

void JobController::release(const std::vector<cluster::Object>& pods, WorkQueue::Finish finish) {
  Answers answers(std::move(finish));
  for (const auto& pod : pods) {
    view_->patch(key_of(cluster::kPods, *pod), cluster::PatchType::kStrategic, without_finalizer(),
                 answers.one_unless_gone());
  }
  answers.close();
}

void JobController::expire(const cluster::Object& job, WorkQueue::Finish finish) {
  const auto due = job_expiry(*job);
  if (!due || is_deleting(*job)) return finish({});
  if (*due > view_->executor().now()) {
    queue_->add_at({namespace_of(*job), name_of(*job)}, *due);
    return finish({});
  }
  Answers answers(std::move(finish));
  view_->remove(cluster::kJobs, *job, answers.one_unless_gone());
  answers.close();
}

}  // namespace tiphys::controllers::workloads
