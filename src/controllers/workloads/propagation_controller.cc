#include "controllers/workloads/propagation_controller.h"

#include <algorithm>
#include <array>

#include "cluster/propagating_kinds.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"

namespace tiphys::controllers::workloads {
namespace {

constexpr std::array kOwners{
    &cluster::kDeployments, &cluster::kReplicaSets, &cluster::kStatefulSets,          &cluster::kDaemonSets,
    &cluster::kCronJobs,    &cluster::kJobs,        &cluster::kReplicationControllers};
constexpr std::array kDependents{&cluster::kReplicaSets, &cluster::kPods, &cluster::kJobs,
                                 &cluster::kControllerRevisions};

bool has_finalizer(const doc::Value& object, std::string_view finalizer) {
  return std::ranges::any_of(list_at(object, "metadata", "finalizers"),
                             [&](const doc::Value& one) { return one == doc::Value(finalizer); });
}

doc::Value without_finalizer(const doc::Value& object, std::string_view finalizer) {
  doc::Value made = object;
  doc::Array kept;
  for (const doc::Value& one : list_at(object, "metadata", "finalizers")) {
    if (one != doc::Value(finalizer)) kept.push_back(one);
  }
  doc::ensure_object(made.get_object(), "metadata")["finalizers"] = std::move(kept);
  return made;
}

doc::Value with_finalizer(const doc::Value& object, std::string_view finalizer) {
  doc::Value made = object;
  doc::Value& list = doc::ensure_object(made.get_object(), "metadata")["finalizers"];
  if (!list.is_array()) list = doc::Array();
  list.get_array().emplace_back(finalizer);
  return made;
}

doc::Value without_owner(const doc::Value& object, std::string_view uid) {
  doc::Value made = object;
  doc::Array left;
  for (const doc::Value& owner : list_at(object, "metadata", "ownerReferences")) {
    if (doc::find_string(owner, "uid") != uid) left.push_back(owner);
  }
  doc::Object& metadata = doc::ensure_object(made.get_object(), "metadata");
  if (left.empty()) {
    metadata.erase("ownerReferences");
  } else {
    metadata["ownerReferences"] = std::move(left);
  }
  return made;
}

bool blocks(const doc::Value& dependent) {
  const doc::Value* owner = controller_of(dependent);
  return owner && is_true_at(*owner, "blockOwnerDeletion");
}

}  // namespace

void PropagationController::start() {
  const auto weak = weak_from_this();
  for (const cluster::Resource* resource : kOwners) {
    queues_[resource] = std::make_shared<WorkQueue>(
        view_->executor(), std::string(resource->kind),
        [this, resource](const Name& name, WorkQueue::Finish finish) { look(*resource, name, std::move(finish)); });
    view_->of(*resource).listen([weak, resource](const auto&, const auto& after) {
      const auto self = weak.lock();
      if (self && after) self->on_owner(*resource, after);
    });
  }
  for (const cluster::Resource* resource : kDependents) {
    view_->of(*resource).listen([weak](const auto& before, const auto& after) {
      const auto self = weak.lock();
      if (self && before && (!after || controller_uid(*after) != controller_uid(*before))) self->on_dependent(before);
    });
    view_->of(*resource).when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all();
    });
  }
  for (const auto* resource : {&cluster::kDeployments, &cluster::kCronJobs, &cluster::kStatefulSets,
                               &cluster::kDaemonSets, &cluster::kReplicationControllers}) {
    view_->of(*resource).when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all();
    });
  }
}

void PropagationController::look_at_all() {
  if (!view_->synced()) return;
  for (const cluster::Resource* resource : kOwners) {
    for (const auto& one : view_->of(*resource).in_namespace("")) on_owner(*resource, one);
  }
}

void PropagationController::on_owner(const cluster::Resource& resource, const cluster::Object& object) {
  if (is_deleting(*object)) queues_.at(&resource)->add({namespace_of(*object), name_of(*object)});
}

void PropagationController::on_dependent(const cluster::Object& gone) {
  const doc::Value* owner = controller_of(*gone);
  if (!owner) return;
  for (const cluster::Resource* resource : kOwners) {
    if (resource->kind != doc::find_string(*owner, "kind")) continue;
    const auto found = view_->of(*resource).find(namespace_of(*gone), std::string(doc::find_string(*owner, "name")));
    if (found) on_owner(*resource, found);
  }
}

void PropagationController::look(const cluster::Resource& resource, const Name& name, WorkQueue::Finish finish) {
  if (!view_->synced()) return finish({});
  const auto owner = view_->of(resource).find(name.first, name.second);
  if (!owner || !is_deleting(*owner)) return finish({});
  if (has_finalizer(*owner, cluster::kOrphanFinalizer)) return orphan(resource, owner, std::move(finish));
  if (has_finalizer(*owner, cluster::kForegroundFinalizer)) {
    return remove_dependents(resource, owner, std::move(finish));
  }
  finish({});
}

void PropagationController::orphan(const cluster::Resource& resource, const cluster::Object& owner,
                                   WorkQueue::Finish finish) {
  Answers answers([weak = weak_from_this(), &resource, owner, finish](Status outcome) {
    const auto self = weak.lock();
    if (!self) return;
    if (!outcome) return finish(std::move(outcome));
    self->drop(resource, owner, cluster::kOrphanFinalizer, finish);
  });
  const std::string uid = uid_of(*owner);
  for (const cluster::Resource* kind : kDependents) {
    for (const auto& one : view_->of(*kind).controlled_by(uid)) {
      view_->update(*kind, without_owner(*one, uid), answers.one_unless_gone());
    }
  }
  answers.close();
}

void PropagationController::remove_dependents(const cluster::Resource& resource, const cluster::Object& owner,
                                              WorkQueue::Finish finish) {
  const std::string uid = uid_of(*owner);
  bool blocked = false;
  Answers answers(finish);
  for (const cluster::Resource* kind : kDependents) {
    for (const auto& one : view_->of(*kind).controlled_by(uid)) {
      blocked = blocked || blocks(*one);
      if (is_deleting(*one)) continue;
      // What owns others has them go first, too.
      if (cluster::carries_out(*kind) && !has_finalizer(*one, cluster::kForegroundFinalizer)) {
        view_->update(*kind, with_finalizer(*one, cluster::kForegroundFinalizer), answers.one_unless_gone());
      }
      view_->remove(*kind, *one, answers.one_unless_gone());
    }
  }
  if (blocked) return answers.close();
  drop(resource, owner, cluster::kForegroundFinalizer,
       [told = std::make_shared<cluster::Done<cluster::Object>>(answers.one_unless_gone())](Status outcome) {
         (*told)(outcome ? Result<cluster::Object>(nullptr) : std::unexpected(outcome.error()));
       });
  answers.close();
}

void PropagationController::drop(const cluster::Resource& resource, const cluster::Object& owner,
                                 std::string_view finalizer, WorkQueue::Finish finish) {
  Answers answers(std::move(finish));
  view_->update(resource, without_finalizer(*owner, finalizer), answers.one_unless_gone());
  answers.close();
}

}  // namespace tiphys::controllers::workloads
