#include "controllers/services/endpoints_controller.h"

#include "base/check.h"
#include "controllers/services/endpoints_plan.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"

namespace tiphys::controllers {

using workloads::name_of;
using workloads::namespace_of;

void EndpointsController::start() {
  queue_ = std::make_shared<workloads::WorkQueue>(
      view_->executor(), "Service",
      [this](const workloads::Name& name, Finish finish) { look(name, std::move(finish)); });
  const auto weak = weak_from_this();
  view_->of(cluster::kServices).listen([weak](const auto& before, const auto& after) {
    if (const auto self = weak.lock()) self->on_service(after ? *after : *before);
  });
  view_->of(cluster::kEndpoints).listen([weak](const auto& before, const auto& after) {
    const auto self = weak.lock();
    const doc::Value& endpoints = after ? *after : *before;
    if (self) self->queue_->add({namespace_of(endpoints), name_of(endpoints)});
  });
  view_->of(cluster::kEndpointSlices).listen([weak](const auto& before, const auto& after) {
    const auto self = weak.lock();
    const doc::Value& slice = after ? *after : *before;
    const doc::Value* owner = workloads::controller_of(slice);
    if (self && owner) self->queue_->add({namespace_of(slice), std::string(doc::find_string(*owner, "name"))});
  });
  for (const auto* resource : {&cluster::kServices, &cluster::kEndpoints, &cluster::kEndpointSlices}) {
    view_->of(*resource).when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all();
    });
  }
  view_->start();
}

void EndpointsController::look_at_all() {
  if (!view_->synced()) return;
  for (const auto& service : view_->of(cluster::kServices).in_namespace("")) on_service(*service);
  for (const auto& endpoints : view_->of(cluster::kEndpoints).in_namespace("")) {
    queue_->add({namespace_of(*endpoints), name_of(*endpoints)});
  }
}

void EndpointsController::on_service(const doc::Value& service) {
  if (has_endpoints(service)) follow_pods();
  queue_->add({namespace_of(service), name_of(service)});
}

void EndpointsController::follow_pods() {
  if (pods_) return;
  auto live = cluster::Selector::parse("status.phase!=Succeeded,status.phase!=Failed");
  TIPHYS_CHECK(live, "the fields' names make a selector");
  pods_ = std::make_shared<workloads::Mirror>(view_->executor(), view_->cluster(), cluster::kPods, cluster::Selector(),
                                              std::move(*live));
  const auto weak = weak_from_this();
  pods_->listen([weak](const auto& before, const auto& after) {
    const auto self = weak.lock();
    if (!self) return;
    if (before) self->on_pod(*before);
    if (after) self->on_pod(*after);
  });
  pods_->when_synced([weak] {
    if (const auto self = weak.lock()) self->look_at_all();
  });
  pods_->start();
}

void EndpointsController::on_pod(const doc::Value& pod) {
  for (const auto& service : view_->of(cluster::kServices).in_namespace(namespace_of(pod))) {
    if (selects_pod(*service, pod)) queue_->add({namespace_of(*service), name_of(*service)});
  }
}

void EndpointsController::look(const workloads::Name& name, Finish finish) {
  if (!view_->synced()) return finish({});
  const auto service = view_->of(cluster::kServices).find(name.first, name.second);
  if (!service) return remove_leftover(name, std::move(finish));
  if (!has_endpoints(*service) || workloads::is_deleting(*service) || !pods_ || !pods_->synced()) return finish({});
  std::vector<cluster::Object> pods;
  for (auto& pod : pods_->in_namespace(name.first)) {
    if (selects_pod(*service, *pod)) pods.push_back(std::move(pod));
  }
  std::vector<cluster::Object> slices;
  for (auto& slice : view_->of(cluster::kEndpointSlices).controlled_by(workloads::uid_of(*service))) {
    if (is_managed(*slice)) slices.push_back(std::move(slice));
  }
  EndpointsPlan plan =
      plan_endpoints(*service, pods, view_->of(cluster::kEndpoints).find(name.first, name.second), slices);
  workloads::Answers answers(std::move(finish));
  if (plan.create) view_->create(cluster::kEndpoints, std::move(*plan.create), answers.one());
  if (plan.update) view_->update(cluster::kEndpoints, std::move(*plan.update), answers.one());
  for (doc::Value& slice : plan.create_slices) view_->create(cluster::kEndpointSlices, std::move(slice), answers.one());
  for (doc::Value& slice : plan.update_slices) view_->update(cluster::kEndpointSlices, std::move(slice), answers.one());
  for (const auto& slice : plan.remove_slices) {
    view_->remove(cluster::kEndpointSlices, *slice, answers.one_unless_gone());
  }
  answers.close();
}

/// Slices belong to their Service and go with it.
void EndpointsController::remove_leftover(const workloads::Name& name, Finish finish) {
  const auto endpoints = view_->of(cluster::kEndpoints).find(name.first, name.second);
  if (!endpoints || !is_managed(*endpoints)) return finish({});
  workloads::Answers answers(std::move(finish));
  view_->remove(cluster::kEndpoints, *endpoints, answers.one_unless_gone());
  answers.close();
}

}  // namespace tiphys::controllers
