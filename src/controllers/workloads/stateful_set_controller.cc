#include "controllers/workloads/stateful_set_controller.h"

#include <fmt/format.h>

#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner_queue.h"
#include "controllers/workloads/selection.h"

namespace tiphys::controllers::workloads {

void StatefulSetController::start() {
  queue_ = std::make_shared<WorkQueue>(view_->executor(), "StatefulSet",
                                       [this](const Name& name, WorkQueue::Finish finish) { look(name, finish); });
  const auto weak = weak_from_this();
  view_->of(cluster::kStatefulSets).listen([weak](const auto& before, const auto& after) {
    const doc::Value& set = after ? *after : *before;
    if (const auto self = weak.lock()) self->queue_->add({namespace_of(set), name_of(set)});
  });
  for (const auto* resource : {&cluster::kPods, &cluster::kControllerRevisions}) {
    view_->of(*resource).listen(each_state([weak](const doc::Value& part) {
      if (const auto self = weak.lock()) self->on_part(part);
    }));
  }
  view_->of(cluster::kPersistentVolumeClaims).listen([weak](const auto& before, const auto& after) {
    if (const auto self = weak.lock()) self->on_claim(after ? *after : *before);
  });
  for (const auto* resource :
       {&cluster::kStatefulSets, &cluster::kPods, &cluster::kControllerRevisions, &cluster::kPersistentVolumeClaims}) {
    view_->of(*resource).when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all();
    });
  }
}

void StatefulSetController::look_at_all() {
  queue_all(*view_, cluster::kStatefulSets, *queue_);
}

void StatefulSetController::on_part(const doc::Value& part) {
  queue_owners(*view_, cluster::kStatefulSets, part, *queue_,
               [&](const doc::Value& set) { return ordinal_of(set, part).has_value(); });
}

/// One that has gone may be what a pod waits for.
void StatefulSetController::on_claim(const doc::Value& claim) {
  for (const auto& set : view_->of(cluster::kStatefulSets).in_namespace(namespace_of(claim))) {
    if (list_at(*set, "spec", "volumeClaimTemplates").empty()) continue;
    if (name_of(claim).find("-" + name_of(*set) + "-") != std::string::npos) {
      queue_->add({namespace_of(*set), name_of(*set)});
    }
  }
}

void StatefulSetController::look(const Name& name, WorkQueue::Finish finish) {
  if (!view_->synced()) return finish({});
  const auto set = view_->of(cluster::kStatefulSets).find(name.first, name.second);
  if (!set) return finish({});
  auto pods =
      belongings_of(view_->of(cluster::kPods), cluster::kStatefulSets, *set, value_at(*set, "spec", "selector"));
  // Only what has a name of its own is adopted.
  std::erase_if(pods.adopted, [&](const doc::Value& pod) { return !ordinal_of(*set, pod); });
  if (settle(*view_, cluster::kPods, pods, finish)) return queue_->add(name);
  StatefulSetParts parts{.pods = std::move(pods.mine),
                         .revisions = view_->of(cluster::kControllerRevisions).controlled_by(uid_of(*set)),
                         .claims = {}};
  if (!list_at(*set, "spec", "volumeClaimTemplates").empty()) {
    parts.claims = view_->of(cluster::kPersistentVolumeClaims).in_namespace(name.first);
  }
  carry_out(set, plan_stateful_set(*set, parts, view_->executor().now()), std::move(finish));
}

void StatefulSetController::note(const cluster::Object& set, std::string_view verb, std::string_view pod) {
  view_->record(cluster::kStatefulSets, *set, "Normal", verb == "create" ? "SuccessfulCreate" : "SuccessfulDelete",
                fmt::format("{} Pod {} in StatefulSet {} successful", verb, pod, name_of(*set)));
}

void StatefulSetController::carry_out(const cluster::Object& set, StatefulSetPlan plan, WorkQueue::Finish finish) {
  if (plan.look_again) queue_->add_at({namespace_of(*set), name_of(*set)}, *plan.look_again);
  Answers answers(std::move(finish));
  doc::Object status = std::move(plan.status);
  if (plan.create_revision) {
    // Its name may be that of another template: then the next look makes another one of it.
    const std::string name = name_of(*plan.create_revision);
    const auto namesake = view_->of(cluster::kControllerRevisions).find(namespace_of(*set), name);
    if (namesake) {
      status["collisionCount"] = number_at(status, "collisionCount").value_or(0) + 1;
      plan.create_pods.clear();
    } else {
      view_->create(cluster::kControllerRevisions, std::move(*plan.create_revision), answers.one());
    }
  }
  if (plan.update_revision)
    view_->update(cluster::kControllerRevisions, std::move(*plan.update_revision), answers.one());
  for (doc::Value& claim : plan.create_claims) {
    view_->create(cluster::kPersistentVolumeClaims, std::move(claim), answers.one());
  }
  for (doc::Value& claim : plan.update_claims) {
    view_->update(cluster::kPersistentVolumeClaims, std::move(claim), answers.one_unless_gone());
  }
  for (doc::Value& pod : plan.create_pods) {
    view_->create(cluster::kPods, std::move(pod),
                  [weak = weak_from_this(), set, told = answers.one()](Result<cluster::Object> answer) mutable {
                    const auto self = weak.lock();
                    if (self && answer) self->note(set, "create", name_of(**answer));
                    told(std::move(answer));
                  });
  }
  for (doc::Value& pod : plan.update_pods) view_->update(cluster::kPods, std::move(pod), answers.one_unless_gone());
  for (const auto& pod : plan.remove_pods) {
    view_->remove(cluster::kPods, *pod, answers.one_unless_gone());
    note(set, "delete", name_of(*pod));
  }
  for (const auto& revision : plan.remove_revisions) {
    view_->remove(cluster::kControllerRevisions, *revision, answers.one_unless_gone());
  }
  if (value_at(*set, "status") != doc::Value(status)) {
    doc::Value written = *set;
    written.get_object()["status"] = std::move(status);
    view_->update(cluster::kStatefulSets, std::move(written), answers.one_unless_gone());
  }
  answers.close();
}

}  // namespace tiphys::controllers::workloads
