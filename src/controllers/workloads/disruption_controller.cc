#include "controllers/workloads/disruption_controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "cluster/rare_resources.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"

namespace tiphys::controllers::workloads {
namespace {

/// What may want a number of pods.
constexpr std::array kOwners{&cluster::kReplicaSets, &cluster::kDeployments, &cluster::kStatefulSets,
                             &cluster::kReplicationControllers};

}  // namespace

void DisruptionController::start() {
  queue_ = std::make_shared<WorkQueue>(view_->executor(), "PodDisruptionBudget",
                                       [this](const Name& name, WorkQueue::Finish finish) { look(name, finish); });
  const auto weak = weak_from_this();
  Mirror& budgets = view_->of(cluster::kPodDisruptionBudgets);
  budgets.listen([weak](const auto& before, const auto& after) {
    const auto self = weak.lock();
    if (!self) return;
    if (after) return self->on_budget(after);
    self->watched_.erase({namespace_of(*before), name_of(*before)});
  });
  budgets.when_synced([weak] {
    if (const auto self = weak.lock()) self->look_at_all("");
  });
  for (const auto* resource : kOwners) {
    Mirror& owners = view_->of(*resource);
    owners.listen([weak](const auto& before, const auto& after) {
      if (const auto self = weak.lock()) self->look_at_all(namespace_of(after ? *after : *before));
    });
    owners.when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all("");
    });
  }
}

void DisruptionController::on_budget(const cluster::Object& budget) {
  const Name name{namespace_of(*budget), name_of(*budget)};
  const doc::Value& selector = value_at(*budget, "spec", "selector");
  const auto known = watched_.find(name);
  if (known == watched_.end() || known->second.selector != selector) follow_pods(name, selector);
  queue_->add(name);
}

void DisruptionController::follow_pods(const Name& name, const doc::Value& selector) {
  Watched& watched = watched_[name];
  watched = {selector, nullptr};
  auto labels = cluster::Selector::from_label_selector(selector);
  // Without one it has no pods.
  if (selector.is_null() || !labels) return;
  watched.pods = std::make_shared<Mirror>(view_->executor(), view_->cluster(), cluster::kPods, std::move(*labels),
                                          cluster::Selector(), name.first);
  const auto again = [weak = weak_from_this(), name] {
    if (const auto self = weak.lock()) self->queue_->add(name);
  };
  watched.pods->listen([again](const auto&, const auto&) { again(); });
  watched.pods->when_synced(again);
  watched.pods->start();
}

void DisruptionController::look_at_all(const std::string& ns) {
  if (watched_.empty()) return;
  for (const auto& budget : view_->of(cluster::kPodDisruptionBudgets).in_namespace(ns)) {
    queue_->add({namespace_of(*budget), name_of(*budget)});
  }
}

/// What an owner wants; none: there is no such owner. `uid` becomes that of who says so.
Result<std::int64_t> DisruptionController::wanted_of(const doc::Value& owner, const doc::Value& pod,
                                                     std::string& uid) const {
  const auto kind = doc::find_string(owner, "kind");
  const auto version = doc::find_string(owner, "apiVersion");
  const cluster::Resource* resource = cluster::find_resource(version, kind);
  if (!resource) {
    return fail(Code::kNotFound, fmt::format("no matches for kind \"{}\" in version \"{}\"", kind, version));
  }
  if (!resource->has_scale) {
    return fail(Code::kNotFound, fmt::format("{} does not implement the scale subresource", resource->qualified));
  }
  const std::string ns = namespace_of(pod);
  auto found = view_->of(*resource).find(ns, std::string(doc::find_string(owner, "name")));
  if (found && uid_of(*found) != doc::find_string(owner, "uid")) found = nullptr;
  const doc::Value* above = found ? controller_of(*found) : nullptr;
  if (above && resource == &cluster::kReplicaSets && doc::find_string(*above, "kind") == "Deployment") {
    found = view_->of(cluster::kDeployments).find(ns, std::string(doc::find_string(*above, "name")));
    if (found && uid_of(*found) != doc::find_string(*above, "uid")) found = nullptr;
  }
  if (!found) return fail(Code::kNotFound, fmt::format("found no controllers for pod \"{}\"", name_of(pod)));
  uid = uid_of(*found);
  return number_at(*found, "spec", "replicas").value_or(1);
}

Result<WantedPods> DisruptionController::wanted(const std::vector<cluster::Object>& pods) const {
  WantedPods all;
  std::set<std::string> counted;
  for (const cluster::Object& pod : pods) {
    const doc::Value* owner = controller_of(*pod);
    if (!owner) {
      all.unmanaged = true;
      continue;
    }
    std::string uid;
    TIPHYS_TRY(const std::int64_t count, wanted_of(*owner, *pod, uid));
    if (counted.insert(uid).second) all.count += count;
  }
  return all;
}

bool DisruptionController::knows_all() const {
  return view_->of(cluster::kPodDisruptionBudgets).synced() &&
         std::ranges::all_of(kOwners, [this](const auto* resource) { return view_->of(*resource).synced(); });
}

void DisruptionController::look(const Name& name, WorkQueue::Finish finish) {
  const auto budget = view_->of(cluster::kPodDisruptionBudgets).find(name.first, name.second);
  const auto watched = watched_.find(name);
  if (!budget || watched == watched_.end() || !knows_all()) return finish({});
  const std::shared_ptr<Mirror>& mirror = watched->second.pods;
  if (mirror && !mirror->synced()) return finish({});
  const auto pods = mirror ? mirror->in_namespace("") : std::vector<cluster::Object>();
  const Time now = view_->executor().now();
  Result<WantedPods> all = WantedPods();
  if (counts_wanted(*budget)) all = wanted(pods);
  if (!all) {
    const std::string& why = all.error().message;
    doc::Object status = failed_disruptions(*budget, why, now);
    if (value_at(*budget, "status") == doc::Value(status)) return finish({});
    view_->record(cluster::kPodDisruptionBudgets, *budget, "Warning", "CalculateExpectedPodCountFailed",
                  fmt::format("Failed to calculate the number of expected pods: {}", why));
    return write(budget, std::move(status), finish);
  }
  DisruptionPlan plan = plan_disruptions(*budget, pods, *all, now);
  if (plan.look_again) queue_->add_at(name, *plan.look_again);
  for (const cluster::Object& pod : plan.not_deleted) {
    view_->record(cluster::kPods, *pod, "Warning", "NotDeleted",
                  fmt::format("Pod was expected by PDB {}/{} to be deleted but it wasn't", name.first, name.second));
  }
  if (value_at(*budget, "status") == doc::Value(plan.status)) return finish({});
  if (pods.empty()) {
    view_->record(cluster::kPodDisruptionBudgets, *budget, "Normal", "NoPods", "No matching pods found");
  }
  if (all->unmanaged) {
    view_->record(cluster::kPodDisruptionBudgets, *budget, "Warning", "UnmanagedPods",
                  "Some pods of this budget have no owner that wants a number of them, so what may be evicted is not "
                  "counted as meant; set spec.minAvailable to a number to count the pods themselves");
  }
  write(budget, std::move(plan.status), finish);
}

void DisruptionController::write(const cluster::Object& budget, doc::Object status, const WorkQueue::Finish& finish) {
  doc::Value written = *budget;
  written.get_object()["status"] = std::move(status);
  Answers answers(finish);
  view_->update(cluster::kPodDisruptionBudgets, std::move(written), answers.one_unless_gone());
  answers.close();
}

}  // namespace tiphys::controllers::workloads
