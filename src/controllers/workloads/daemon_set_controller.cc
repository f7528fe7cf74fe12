#include "controllers/workloads/daemon_set_controller.h"

#include <fmt/format.h>

#include "cluster/rare_resources.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/node_fit.h"
#include "controllers/workloads/owner_queue.h"
#include "controllers/workloads/selection.h"

namespace tiphys::controllers::workloads {

void DaemonSetController::start() {
  queue_ = std::make_shared<WorkQueue>(view_->executor(), "DaemonSet",
                                       [this](const Name& name, WorkQueue::Finish finish) { look(name, finish); });
  const auto weak = weak_from_this();
  view_->of(cluster::kDaemonSets).listen([weak](const auto& before, const auto& after) {
    const auto self = weak.lock();
    if (!self) return;
    const doc::Value& set = after ? *after : *before;
    self->queue_->add({namespace_of(set), name_of(set)});
    if (!after || number_at(set, "status", "numberAvailable").value_or(0) > 0) self->failures_.erase(uid_of(set));
  });
  for (const auto* resource : {&cluster::kPods, &cluster::kControllerRevisions}) {
    view_->of(*resource).listen(each_state([weak](const doc::Value& part) {
      if (const auto self = weak.lock()) self->on_part(part);
    }));
  }
  view_->of(cluster::kNodes).listen([weak](const auto&, const auto&) {
    if (const auto self = weak.lock()) self->look_at_all();
  });
  for (const auto* resource :
       {&cluster::kDaemonSets, &cluster::kPods, &cluster::kControllerRevisions, &cluster::kNodes}) {
    view_->of(*resource).when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all();
    });
  }
}

void DaemonSetController::look_at_all() {
  queue_all(*view_, cluster::kDaemonSets, *queue_);
}

void DaemonSetController::on_part(const doc::Value& part) {
  queue_owners(*view_, cluster::kDaemonSets, part, *queue_);
}

void DaemonSetController::look(const Name& name, WorkQueue::Finish finish) {
  if (!view_->synced()) return finish({});
  const auto set = view_->of(cluster::kDaemonSets).find(name.first, name.second);
  if (!set) return finish({});
  auto pods = belongings_of(view_->of(cluster::kPods), cluster::kDaemonSets, *set, value_at(*set, "spec", "selector"));
  if (settle(*view_, cluster::kPods, pods, finish)) return queue_->add(name);
  const DaemonSetParts parts{.nodes = view_->of(cluster::kNodes).in_namespace(""),
                             .pods = std::move(pods.mine),
                             .revisions = view_->of(cluster::kControllerRevisions).controlled_by(uid_of(*set)),
                             .failures = failures_.contains(uid_of(*set)) ? failures_.at(uid_of(*set)) : 0};
  carry_out(set, plan_daemon_set(*set, parts, view_->executor().now()), std::move(finish));
}

bool DaemonSetController::create_revision(const cluster::Object& set, doc::Value revision, doc::Object& status,
                                          Answers& answers) {
  if (view_->of(cluster::kControllerRevisions).find(namespace_of(*set), name_of(revision))) {
    status["collisionCount"] = number_at(status, "collisionCount").value_or(0) + 1;
    return false;
  }
  view_->create(cluster::kControllerRevisions, std::move(revision), answers.one());
  return true;
}

void DaemonSetController::remove_pod(const cluster::Object& set, const cluster::Object& pod, Answers& answers) {
  const auto phase = doc::find_string(*pod, "status", "phase");
  if (phase == "Failed" || phase == "Succeeded") {
    const bool failed = phase == "Failed";
    if (failed) ++failures_[uid_of(*set)];
    view_->record(
        cluster::kDaemonSets, *set, failed ? "Warning" : "Normal", failed ? "FailedDaemonPod" : "SucceededDaemonPod",
        fmt::format("Found {} daemon pod {}/{} on node {}, will try to {} it", failed ? "failed" : "succeeded",
                    namespace_of(*pod), name_of(*pod), target_node(*pod), failed ? "kill" : "delete"));
  }
  view_->remove(cluster::kPods, *pod, answers.one_unless_gone());
  view_->record(cluster::kDaemonSets, *set, "Normal", "SuccessfulDelete",
                fmt::format("Deleted pod: {}", name_of(*pod)));
}

void DaemonSetController::carry_out(const cluster::Object& set, DaemonSetPlan plan, WorkQueue::Finish finish) {
  if (plan.look_again) queue_->add_at({namespace_of(*set), name_of(*set)}, *plan.look_again);
  Answers answers(std::move(finish));
  if (plan.create_revision && !create_revision(set, std::move(*plan.create_revision), plan.status, answers)) {
    plan.create_pods.clear();
  }
  if (plan.update_revision) {
    view_->update(cluster::kControllerRevisions, std::move(*plan.update_revision), answers.one());
  }
  for (doc::Value& pod : plan.create_pods) {
    view_->create(cluster::kPods, std::move(pod),
                  [view = view_, set, told = answers.one()](Result<cluster::Object> answer) mutable {
                    if (answer) {
                      view->record(cluster::kDaemonSets, *set, "Normal", "SuccessfulCreate",
                                   fmt::format("Created pod: {}", name_of(**answer)));
                    }
                    told(std::move(answer));
                  });
  }
  for (const auto& pod : plan.remove_pods) remove_pod(set, pod, answers);
  for (const auto& revision : plan.remove_revisions) {
    view_->remove(cluster::kControllerRevisions, *revision, answers.one_unless_gone());
  }
  if (value_at(*set, "status") != doc::Value(plan.status)) {
    doc::Value written = *set;
    written.get_object()["status"] = std::move(plan.status);
    view_->update(cluster::kDaemonSets, std::move(written), answers.one_unless_gone());
  }
  answers.close();
}

}  // namespace tiphys::controllers::workloads
