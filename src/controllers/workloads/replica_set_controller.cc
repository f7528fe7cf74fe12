#include "controllers/workloads/replica_set_controller.h"

#include <fmt/format.h>

#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"
#include "controllers/workloads/owner_queue.h"
#include "controllers/workloads/replica_set_plan.h"
#include "controllers/workloads/selection.h"

namespace tiphys::controllers::workloads {

void ReplicaSetController::start() {
  queue_ = std::make_shared<WorkQueue>(view_->executor(), std::string(resource_.kind),
                                       [this](const Name& name, WorkQueue::Finish finish) { look(name, finish); });
  const auto weak = weak_from_this();
  view_->of(resource_).listen([weak](const auto& before, const auto& after) {
    const doc::Value& object = after ? *after : *before;
    if (const auto self = weak.lock()) self->queue_->add({namespace_of(object), name_of(object)});
  });
  view_->of(cluster::kPods).listen([weak](const auto& before, const auto& after) {
    if (const auto self = weak.lock()) self->on_pod(before, after);
  });
  for (const auto* resource : {&resource_, &cluster::kPods}) {
    view_->of(*resource).when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all();
    });
  }
}

void ReplicaSetController::look_at_all() {
  queue_all(*view_, resource_, *queue_);
}

void ReplicaSetController::on_pod(const cluster::Object& before, const cluster::Object& after) {
  // One that has changed hands is news to both.
  for (const cluster::Object& pod : {before, after}) {
    if (!pod) continue;
    const doc::Value* owner = controller_of(*pod);
    if (owner && doc::find_string(*owner, "kind") == resource_.kind) {
      queue_->add({namespace_of(*pod), std::string(doc::find_string(*owner, "name"))});
    }
  }
  if (!after || controller_of(*after)) return;
  for (const auto& one : view_->of(resource_).in_namespace(namespace_of(*after))) {
    if (selects(selector_of(*one), value_at(*after, "metadata", "labels"))) {
      queue_->add({namespace_of(*one), name_of(*one)});
    }
  }
}

doc::Value ReplicaSetController::selector_of(const doc::Value& object) const {
  const doc::Value& selector = value_at(object, "spec", "selector");
  if (&resource_ == &cluster::kReplicaSets || selector.is_null()) return selector;
  return doc::Object{{"matchLabels", selector}};
}

void ReplicaSetController::look(const Name& name, WorkQueue::Finish finish) {
  if (!view_->synced()) return finish({});
  const auto object = view_->of(resource_).find(name.first, name.second);
  if (!object) return finish({});
  auto pods = belongings_of(view_->of(cluster::kPods), resource_, *object, selector_of(*object));
  if (settle(*view_, cluster::kPods, pods, finish)) return queue_->add(name);
  ReplicaSetPlan plan = plan_replica_set(resource_, *object, pods.mine, view_->executor().now());
  if (plan.look_again) queue_->add_at(name, *plan.look_again);
  Answers answers(finish);
  for (doc::Value& pod : plan.create) {
    view_->create(
        cluster::kPods, std::move(pod),
        [view = view_, &resource = resource_, object, told = answers.one()](Result<cluster::Object> answer) mutable {
          if (answer) {
            view->record(resource, *object, "Normal", "SuccessfulCreate",
                         fmt::format("Created pod: {}", name_of(**answer)));
          }
          told(std::move(answer));
        });
  }
  for (const auto& pod : plan.remove) {
    view_->remove(cluster::kPods, *pod, answers.one_unless_gone());
    view_->record(resource_, *object, "Normal", "SuccessfulDelete", fmt::format("Deleted pod: {}", name_of(*pod)));
  }
  if (value_at(*object, "status") != doc::Value(plan.status)) {
    doc::Value written = *object;
    written.get_object()["status"] = std::move(plan.status);
    view_->update(resource_, std::move(written), answers.one_unless_gone());
  }
  answers.close();
}

}  // namespace tiphys::controllers::workloads
