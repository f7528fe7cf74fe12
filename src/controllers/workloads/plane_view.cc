#include "controllers/workloads/plane_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/log.h"
#include "cluster/rare_resources.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/job_plan.h"

namespace tiphys::controllers::workloads {
namespace {

/// Pods of workflows belong to the workflow controller, and there may be very many.
cluster::Selector selector_for(const cluster::Resource& resource) {
  if (&resource != &cluster::kPods) return {};
  auto selector = cluster::Selector::parse("!workflows.argoproj.io/workflow");
  TIPHYS_CHECK(selector, "the label's name makes a selector");
  return std::move(*selector);
}

bool may_own_pods(const cluster::Resource& resource) {
  const std::array owners{&cluster::kJobs, &cluster::kReplicaSets, &cluster::kStatefulSets, &cluster::kDaemonSets,
                          &cluster::kReplicationControllers};
  return std::ranges::find(owners, &resource) != owners.end();
}

/// "replicaset-controller"
std::string component_of(const cluster::Resource& resource) {
  if (&resource == &cluster::kReplicationControllers) return "replication-controller";
  return std::string(resource.singular) + "-controller";
}

}  // namespace

Mirror& PlaneView::of(const cluster::Resource& resource) {
  std::shared_ptr<Mirror>& mirror = mirrors_[&resource];
  if (mirror) return *mirror;
  mirror = std::make_shared<Mirror>(executor_, cluster_, resource, selector_for(resource));
  if (may_own_pods(resource)) {
    // The first to be told: those who look for pods then wait for them.
    mirror->listen([weak = weak_from_this()](const auto&, const auto& after) {
      if (const auto self = weak.lock(); self && after) self->follow_pods();
    });
  }
  return *mirror;
}

void PlaneView::start() {
  for (const auto& [resource, mirror] : mirrors_) {
    if (resource != &cluster::kPods) mirror->start();
  }
  follow_what_jobs_left();
}

bool PlaneView::synced() const {
  return std::ranges::all_of(mirrors_, [&](const auto& each) {
    return each.second->synced() || (each.first == &cluster::kPods && !follows_pods_);
  });
}

void PlaneView::follow_pods() {
  const auto pods = mirrors_.find(&cluster::kPods);
  if (pods == mirrors_.end() || std::exchange(follows_pods_, true)) return;
  pods->second->start();
}

void PlaneView::follow_what_jobs_left() {
  if (!mirrors_.contains(&cluster::kJobs) || !mirrors_.contains(&cluster::kPods)) return;
  cluster::ListOptions options;
  options.live_only = true;
  options.labels = selector_for(cluster::kPods);
  options.as_json = true;
  cluster_.list(cluster::kPods, std::move(options), [weak = weak_from_this()](const Result<cluster::List>& list) {
    const auto self = weak.lock();
    if (!self) return;
    const auto is_left = [](const std::string& text) { return text.contains(kTrackingFinalizer); };
    // When in doubt they are looked at.
    const bool some = !list || std::ranges::any_of(list->texts, is_left, [](const auto& text) { return *text; }) ||
                      std::ranges::any_of(list->items, is_left, [](const auto& pod) { return doc::to_json(*pod); });
    if (some) self->follow_pods();
  });
}

cluster::Done<cluster::Object> PlaneView::learning(const cluster::Resource& resource,
                                                   cluster::Done<cluster::Object> done) {
  return [weak = weak_from_this(), &resource, done = std::move(done)](Result<cluster::Object> answer) mutable {
    const auto self = weak.lock();
    if (!self) return;
    if (answer && self->mirrors_.contains(&resource)) self->of(resource).learn(*answer);
    done(std::move(answer));
  };
}

void PlaneView::create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) {
  cluster_.create(resource, std::move(object), learning(resource, std::move(done)));
}

void PlaneView::update(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) {
  const cluster::Key key = key_of(resource, object);
  cluster_.update(key, std::move(object), learning(resource, std::move(done)));
}

void PlaneView::patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch,
                      cluster::Done<cluster::Object> done) {
  cluster_.patch(key, type, std::move(patch), learning(*key.resource, std::move(done)));
}

void PlaneView::remove(const cluster::Resource& resource, const doc::Value& object,
                       cluster::Done<cluster::Object> done) {
  cluster_.remove(key_of(resource, object), {.uid = uid_of(object)},
                  [weak = weak_from_this(), &resource, done = std::move(done)](Result<cluster::Object> answer) mutable {
                    const auto self = weak.lock();
                    if (!self) return;
                    if (answer && self->mirrors_.contains(&resource)) self->of(resource).learn_removed(*answer);
                    done(std::move(answer));
                  });
}

void PlaneView::record(const cluster::Resource& resource, const doc::Value& about, std::string_view type,
                       std::string_view reason, std::string_view message) {
  const std::string now = format_rfc3339(executor_.now());
  const std::string component = component_of(resource);
  const std::string ns = namespace_of(about);
  doc::Object event{
      {"metadata", doc::Object{{"generateName", name_of(about) + "."}, {"namespace", ns.empty() ? "default" : ns}}},
      {"involvedObject", doc::Object{{"kind", resource.kind},
                                     {"namespace", ns},
                                     {"name", name_of(about)},
                                     {"uid", uid_of(about)},
                                     {"apiVersion", resource.api_version()},
                                     {"resourceVersion", doc::find_string(about, "metadata", "resourceVersion")}}},
      {"reason", reason},
      {"message", message},
      {"source", doc::Object{{"component", component}}},
      {"firstTimestamp", now},
      {"lastTimestamp", now},
      {"count", 1},
      {"type", type},
      {"eventTime", nullptr},
      {"reportingComponent", component},
      {"reportingInstance", ""}};
  cluster_.create(cluster::kEvents, std::move(event), [](const Result<cluster::Object>& answer) {
    if (!answer) log::warn("an Event cannot be written: {}", answer.error().message);
  });
}

void Answers::State::came(Status came_outcome) {
  if (outcome && !came_outcome) outcome = std::move(came_outcome);
  if (--open == 0) then(std::move(outcome));
}

cluster::Done<cluster::Object> Answers::one() {
  ++state_->open;
  return [state = state_](const Result<cluster::Object>& answer) {
    state->came(answer ? Status() : std::unexpected(answer.error()));
  };
}

cluster::Done<cluster::Object> Answers::one_unless_gone() {
  ++state_->open;
  return [state = state_](const Result<cluster::Object>& answer) {
    const bool fine = answer || answer.error().code == Code::kNotFound;
    state->came(fine ? Status() : std::unexpected(answer.error()));
  };
}

void Answers::close() {
  state_->came({});
}

}  // namespace tiphys::controllers::workloads
