#include "controllers/workloads/deployment_controller.h"

#include "controllers/workloads/deployment_plan.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"
#include "controllers/workloads/owner_queue.h"
#include "controllers/workloads/revisions.h"
#include "controllers/workloads/selection.h"

namespace tiphys::controllers::workloads {

void DeploymentController::start() {
  queue_ = std::make_shared<WorkQueue>(view_->executor(), "Deployment",
                                       [this](const Name& name, WorkQueue::Finish finish) { look(name, finish); });
  const auto weak = weak_from_this();
  view_->of(cluster::kDeployments).listen([weak](const auto& before, const auto& after) {
    const doc::Value& object = after ? *after : *before;
    if (const auto self = weak.lock()) self->queue_->add({namespace_of(object), name_of(object)});
  });
  view_->of(cluster::kReplicaSets).listen(each_state([weak](const doc::Value& set) {
    if (const auto self = weak.lock()) self->on_replica_set(set);
  }));
  // One that recreates waits for the last old pod.
  view_->of(cluster::kPods).listen([weak](const auto& before, const auto& after) {
    const auto self = weak.lock();
    if (!self || after || !before) return;
    const doc::Value* owner = controller_of(*before);
    if (!owner || doc::find_string(*owner, "kind") != "ReplicaSet") return;
    const auto set = self->view_->of(cluster::kReplicaSets)
                         .find(namespace_of(*before), std::string(doc::find_string(*owner, "name")));
    if (set) self->on_replica_set(*set);
  });
  for (const auto* resource : {&cluster::kDeployments, &cluster::kReplicaSets, &cluster::kPods}) {
    view_->of(*resource).when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all();
    });
  }
}

void DeploymentController::look_at_all() {
  queue_all(*view_, cluster::kDeployments, *queue_);
}

void DeploymentController::on_replica_set(const doc::Value& set) {
  queue_owners(*view_, cluster::kDeployments, set, *queue_);
}

void DeploymentController::look(const Name& name, WorkQueue::Finish finish) {
  if (!view_->synced()) return finish({});
  const auto object = view_->of(cluster::kDeployments).find(name.first, name.second);
  if (!object) return finish({});
  auto sets = belongings_of(view_->of(cluster::kReplicaSets), cluster::kDeployments, *object,
                            value_at(*object, "spec", "selector"));
  if (settle(*view_, cluster::kReplicaSets, sets, finish)) return queue_->add(name);
  std::vector<cluster::Object> pods;
  for (const auto& set : sets.mine) {
    for (auto& pod : view_->of(cluster::kPods).controlled_by(uid_of(*set))) pods.push_back(std::move(pod));
  }
  carry_out(object, plan_deployment(*object, sets.mine, pods, view_->executor().now()), std::move(finish));
}

void DeploymentController::carry_out(const cluster::Object& deployment, DeploymentPlan plan, WorkQueue::Finish finish) {
  if (plan.look_again) queue_->add_at({namespace_of(*deployment), name_of(*deployment)}, *plan.look_again);
  Answers answers(std::move(finish));
  if (plan.create) {
    view_->create(cluster::kReplicaSets, std::move(*plan.create),
                  [weak = weak_from_this(), deployment, told = answers.one()](Result<cluster::Object> answer) mutable {
                    const auto self = weak.lock();
                    if (!self) return;
                    if (answer || answer.error().code != Code::kAlreadyExists) return told(std::move(answer));
                    self->count_collision(deployment, std::move(told));
                  });
  }
  for (doc::Value& set : plan.update) view_->update(cluster::kReplicaSets, std::move(set), answers.one());
  for (const auto& set : plan.remove) view_->remove(cluster::kReplicaSets, *set, answers.one_unless_gone());
  doc::Value written = *deployment;
  written.get_object()["status"] = std::move(plan.status);
  if (!plan.revision.empty()) {
    doc::Object& metadata = doc::ensure_object(written.get_object(), "metadata");
    doc::ensure_object(metadata, "annotations")[kRevision] = plan.revision;
  }
  if (written != *deployment) view_->update(cluster::kDeployments, std::move(written), answers.one_unless_gone());
  for (const auto& note : plan.notes) {
    view_->record(cluster::kDeployments, *deployment, "Normal", note.reason, note.message);
  }
  answers.close();
}

void DeploymentController::count_collision(const cluster::Object& deployment, cluster::Done<cluster::Object> done) {
  const std::int64_t count = number_at(*deployment, "status", "collisionCount").value_or(0) + 1;
  view_->patch(key_of(cluster::kDeployments, *deployment), cluster::PatchType::kMerge,
               doc::Object{{"status", doc::Object{{"collisionCount", count}}}}, std::move(done));
}

}  // namespace tiphys::controllers::workloads
