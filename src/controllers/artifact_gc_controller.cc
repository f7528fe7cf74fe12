#include "controllers/artifact_gc_controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/workers.h"
#include "controllers/artifact_gc.h"
#include "controllers/event_recorder.h"
#include "controllers/expiry.h"
#include "controllers/names.h"

namespace tiphys::controllers {
namespace {

constexpr int kWorkerThreads = 4;

/// Deletes what is planned. Blocking.
ArtifactGcPlan carried_out(ArtifactGcPlan plan, const artifact::Stores& stores,
                           const artifact::Credentials& credentials) {
  for (ArtifactGcPlan::Item& item : plan.items) {
    const auto place = stores.open(item.location, credentials);
    const Status removed = place ? (*place)->remove() : std::unexpected(place.error());
    if (!removed) item.error = removed.error().message;
  }
  return plan;
}

/// The finalizer goes, and the label with it unless the workflow's time to live needs it.
doc::Value release_patch(const doc::Value& workflow) {
  doc::Array patch;
  const doc::Array& finalizers = doc::find(workflow, "metadata", "finalizers")->get_array();
  const auto own = std::ranges::find(finalizers, doc::Value(kArtifactGcFinalizer));
  const std::string path = fmt::format("/metadata/finalizers/{}", own - finalizers.begin());
  patch.push_back(doc::Object{{"op", "test"}, {"path", path}, {"value", kArtifactGcFinalizer}});
  patch.push_back(doc::Object{{"op", "remove"}, {"path", finalizers.size() == 1 ? "/metadata/finalizers" : path}});
  const doc::Value* label = doc::find(workflow, "metadata", "labels", kExpiresLabel);
  if (label && !time_to_live(ttl_strategies(workflow), doc::find_string(workflow, "status", "phase"))) {
    patch.push_back(doc::Object{{"op", "remove"}, {"path", "/metadata/labels/tiphys.io~1expires"}});
  }
  return patch;
}

}  // namespace

class ArtifactGcController::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, const artifact::Stores& stores,
        ArtifactGcControllerOptions options)
      : executor_(executor),
        cluster_(cluster),
        stores_(stores),
        options_(std::move(options)),
        workers_(executor, kWorkerThreads),
        events_(executor, cluster) {}

  void start() { watch(); }

 private:
  template <typename F>
  auto guarded(F task) {
    return [weak = weak_from_this(), task = std::move(task)](auto&&... args) mutable {
      if (const auto self = weak.lock()) task(*self, std::forward<decltype(args)>(args)...);
    };
  }

  void watch() {
    cluster::WatchOptions options;
    options.ns = options_.ns;
    auto labels = cluster::Selector::parse(fmt::format("{},{}=true", kExpiresLabel, kCompletedLabel));
    TIPHYS_CHECK(labels.has_value(), "labels' names make a selector");
    options.labels = std::move(*labels);
    watch_ =
        cluster_.watch(cluster::kWorkflows, std::move(options),
                       {guarded([](State& self, const cluster::WatchEvent& event) { self.on_event(event); }),
                        guarded([](State& self, const Error& error) {
                          log::warn("watching workflows whose artifacts go ended and begins anew: {}", error.message);
                          self.executor_.schedule(self.executor_.now() + self.options_.retry,
                                                  self.guarded([](State& again) { again.watch(); }));
                        })});
  }

  void on_event(const cluster::WatchEvent& event) {
    using Type = cluster::WatchEvent::Type;
    if (event.type == Type::kSynced || event.type == Type::kDeleted || !has_gc_finalizer(*event.object)) return;
    const cluster::Key key{&cluster::kWorkflows, std::string(doc::find_string(*event.object, "metadata", "namespace")),
                           std::string(doc::find_string(*event.object, "metadata", "name"))};
    const auto [work, fresh] = under_way_.try_emplace(key, false);
    work->second = !fresh;
    if (fresh) look(key);
  }

  void look(const cluster::Key& key) {
    cluster_.get(key, guarded([key](State& self, const Result<cluster::Object>& workflow) {
                   if (!workflow) return self.refused(key, workflow.error());
                   self.plan(key, *workflow);
                 }));
  }

  void plan(const cluster::Key& key, const cluster::Object& workflow) {
    auto plan = plan_artifact_gc(*workflow);
    if (!plan || !has_gc_finalizer(*workflow)) {
      if (!plan) log::warn("artifacts of workflow {}/{} stay: {}", key.ns, key.name, plan.error().message);
      return finish(key);
    }
    if (plan->strategies.empty()) return artifact_gc_done(*workflow, *plan) ? release(key, workflow) : finish(key);
    std::vector<doc::Value> locations;
    for (const ArtifactGcPlan::Item& item : plan->items) locations.push_back(item.location);
    artifact::Credentials::fetch(cluster_, key.ns, locations,
                                 guarded([key, workflow, plan = std::move(*plan)](
                                             State& self, Result<artifact::Credentials> credentials) mutable {
                                   if (!credentials) return self.refused(key, credentials.error());
                                   self.carry_out(key, workflow, std::move(plan), std::move(*credentials));
                                 }));
  }

  void carry_out(const cluster::Key& key, const cluster::Object& workflow, ArtifactGcPlan plan,
                 artifact::Credentials credentials) {
    workers_.run(
        [stores = &stores_, plan = std::move(plan), credentials = std::move(credentials)]() mutable {
          return carried_out(std::move(plan), *stores, credentials);
        },
        guarded([key, workflow](State& self, const ArtifactGcPlan& done) { self.write(key, workflow, done); }));
  }

  void write(const cluster::Key& key, const cluster::Object& workflow, const ArtifactGcPlan& plan) {
    for (const ArtifactGcPlan::Item& item : plan.items) {
      if (!item.error.empty()) log::warn("an artifact of workflow {}/{} stays: {}", key.ns, key.name, item.error);
    }
    tell_of_failures(key, *workflow, plan);
    const bool done = artifact_gc_done(*workflow, plan);
    cluster_.update_workflow_status(key, artifact_gc_results(*workflow, plan),
                                    guarded([key, workflow, done](State& self, const Result<void>& answer) {
                                      if (!answer) return self.refused(key, answer.error());
                                      if (!done) return self.finish(key);
                                      self.release(key, workflow);
                                    }));
  }

  /// One Event a strategy, as the original, lest there be as many as artifacts.
  void tell_of_failures(const cluster::Key& key, const doc::Value& workflow, const ArtifactGcPlan& plan) {
    const EventSubject subject{&cluster::kWorkflows, key.ns, key.name,
                               std::string(doc::find_string(workflow, "metadata", "uid"))};
    std::set<std::string_view> told;
    for (const ArtifactGcPlan::Item& item : plan.items) {
      if (item.error.empty() || !told.insert(item.strategy).second) continue;
      events_.record(subject, {.warning = true,
                               .reason = "ArtifactGCFailed",
                               .message = fmt::format("Artifact Garbage Collection failed for strategy {}, err:{}",
                                                      item.strategy, item.error)});
    }
    events_.write();
  }

  void release(const cluster::Key& key, const cluster::Object& workflow) {
    cluster_.patch(key, cluster::PatchType::kJson, release_patch(*workflow),
                   guarded([key](State& self, const Result<cluster::Object>& answer) {
                     if (!answer) return self.refused(key, answer.error());
                     self.finish(key);
                   }));
  }

  void refused(const cluster::Key& key, const Error& error) {
    if (error.code == Code::kNotFound) return finish(key);
    log::warn("artifacts of workflow {}/{} and its finalizer go later: {}", key.ns, key.name, error.message);
    executor_.schedule(executor_.now() + options_.retry, guarded([key](State& self) { self.look(key); }));
  }

  void finish(const cluster::Key& key) {
    const auto work = under_way_.find(key);
    if (work == under_way_.end()) return;
    if (std::exchange(work->second, false)) return look(key);
    under_way_.erase(work);
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  const artifact::Stores& stores_;
  const ArtifactGcControllerOptions options_;
  Workers workers_;
  EventRecorder events_;
  std::map<cluster::Key, bool> under_way_;  ///< true: it has changed meanwhile
  std::unique_ptr<cluster::Watch> watch_;
};

ArtifactGcController::ArtifactGcController(Executor& executor, cluster::Cluster& cluster,
                                           const artifact::Stores& stores, ArtifactGcControllerOptions options)
    : state_(std::make_shared<State>(executor, cluster, stores, std::move(options))) {}

ArtifactGcController::~ArtifactGcController() = default;

void ArtifactGcController::start() {
  state_->start();
}

}  // namespace tiphys::controllers
