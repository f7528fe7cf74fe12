#include "simulation/world.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/simulated_executor.h"
#include "controllers/artifact_gc.h"
#include "controllers/artifact_gc_controller.h"
#include "controllers/expiry_controller.h"
#include "controllers/names.h"
#include "controllers/workflow_controller.h"
#include "simulation/artifact_ledger.h"
#include "simulation/disturbed_cluster.h"
#include "simulation/fake_agent.h"
#include "simulation/fake_user.h"
#include "simulation/fake_web.h"
#include "simulation/random_workflow.h"
#include "store/store.h"
#include "store/testing.h"

namespace tiphys::simulation {
namespace {

/// A workflow that takes longer than this has come to a stand-still.
constexpr Duration kLongestRun = std::chrono::hours(24);
constexpr std::size_t kMostSteps = 2'000'000;
/// So long after its end, or after it was to be deleted, nothing happens to a workflow any more.
constexpr Duration kSettling = std::chrono::minutes(10);

class World {
 public:
  explicit World(const WorldOptions& options)
      : options_(options), ids_(options.seed), faults_(options.faults == 0 ? options.seed : options.faults) {
    plan_workload();
    plan_faults();
    host_.artifacts.before_list = [this](std::string_view key) { return list_fault(key); };
    host_.artifacts.before_remove = [this](std::string_view key) { return removal_fault(key); };
  }

  WorldOutcome run() {
    boot();
    submit_workflows();
    start_user();
    play(kLongestRun, [this] { return all_over() && all_collected(); });
    conclude();
    begin_deletion();
    play(kTimeToLive + kSettling, [this] { return synced_ && ledger_.on_disk().empty(); });
    play(kSettling, [] { return false; });
    conclude_deletion();
    dying_ = true;
    shut_down();
    return std::move(outcome_);
  }

 private:
  void play(Duration longest, const std::function<bool()>& over) {
    const Time end = executor_->now() + longest;
    while (!over() && ++steps_ < kMostSteps && executor_->now() < end) {
      if (!executor_->step()) break;
      if (dying_ || (crashes_left_ > 0 && steps_ >= next_crash_)) crash();
    }
  }

  bool faulty() const { return options_.faults != 0; }

  void plan_workload() {
    Chance chance(options_.seed);
    outcome_.same_every_time = chance.percent(70);
    const std::size_t count = 1 + chance.below(3);
    for (std::size_t i = 0; i < count; ++i) {
      workflows_.push_back(fmt::format("wf{}", i));
      manifests_.push_back(random_workflow(
          chance, {workflows_.back(), outcome_.same_every_time, static_cast<int>(1 + chance.below(3))}));
    }
    if (chance.percent(30)) refusing_percent_ = 1 + chance.below(30);
  }

  void plan_faults() {
    if (!faulty()) return;
    crashes_left_ = faults_.below(6);
    next_crash_ = 20 + faults_.below(400);
    if (faults_.percent(50)) failing_commits_percent_ = 1 + faults_.below(10);
    if (faults_.percent(70)) {
      disturbances_ = {
          .repeat_percent = 1 + faults_.below(30), .late_percent = faults_.below(15), .cut_percent = faults_.below(4)};
    }
    if (!outcome_.same_every_time && faults_.percent(50)) {
      node_faults_ = {.evicted_percent = faults_.below(5), .removed_percent = faults_.below(5)};
    }
  }

  // The process.

  void boot() {
    const Time now = executor_ ? executor_->now() : SimulatedExecutor().now();
    if (!executor_) begin_ = now;
    executor_ = std::make_unique<SimulatedExecutor>(now);
    executor_->set_time_of_blocking([this] { return faults_.up_to(std::chrono::seconds(2)); });
    dying_ = ready_ = false;
    auto store = store::Store::open({.path = folder_.path() + "/tiphys.db",
                                     .executor = *executor_,
                                     .random = ids_.source(),
                                     .inline_commits = true,
                                     .before_commit = [this] { return commit_fault(); }});
    TIPHYS_CHECK(store, "what a crash leaves behind can be opened: " + store.error().message);
    store_ = std::move(*store);
    check_promises();
    watch_disk();
    cluster_ =
        std::make_unique<DisturbedCluster>(*executor_, *store_, promises_, disturbances_, faults_, outcome_.complaints);
    agent_ = std::make_unique<FakeAgent>(*executor_, *store_, host_, options_.seed, faults_, node_faults_);
    stores_ = std::make_unique<artifact::Stores>(host_.artifacts);
    web_ = std::make_unique<FakeWeb>(*executor_, options_.seed, faults_);
    controller_ = std::make_unique<controllers::WorkflowController>(
        *executor_, *cluster_, ids_.source(),
        controllers::WorkflowControllerOptions{.ns = "", .http = web_.get(), .stores = stores_.get()});
    controller_->start([this] { ready_ = true; });
    expiry_ = std::make_unique<controllers::ExpiryController>(*executor_, *cluster_);
    expiry_->start();
    artifact_gc_ = std::make_unique<controllers::ArtifactGcController>(*executor_, *cluster_, *stores_);
    artifact_gc_->start();
  }

  void watch_disk() {
    ledger_.forget();
    synced_ = false;
    disk_ = store_->watch(cluster::kWorkflows, {},
                          {[this](const cluster::WatchEvent& event) {
                             synced_ = synced_ || event.type == cluster::WatchEvent::Type::kSynced;
                             if (!event.object) return;
                             if (event.type != cluster::WatchEvent::Type::kDeleted) {
                               return ledger_.committed(*event.object);
                             }
                             ledger_.gone(std::string(doc::find_string(*event.object, "metadata", "name")));
                           },
                           [](const Error&) {}});
  }

  Status commit_fault() {
    if (dying_) return fail(Code::kUnavailable, "the process is no more");
    if (quiet_ || !faults_.percent(failing_commits_percent_)) return {};
    return fail(Code::kResourceExhausted, "disk full");
  }

  /// A place refuses some artifacts always, and others now and then.
  Status list_fault(std::string_view key) {
    if (!refuses_always("list", key) && !refuses_now()) return {};
    return fail(Code::kUnavailable, "the repository cannot be read");
  }

  Status removal_fault(std::string_view key) {
    // The process may be killed between two of them.
    if (!quiet_ && crashes_left_ > 0 && faults_.percent(5)) dying_ = true;
    if (dying_) return fail(Code::kUnavailable, "the process is no more");
    // A folder may be the artifact of several nodes, for which one answer is to be had.
    const bool folder = !key.ends_with(".tgz");
    const bool refused = refuses_always("remove", key) || (!folder && host_.artifacts.has(key) && refuses_now());
    ledger_.removing(key, refused);
    if (!refused) return {};
    return fail(Code::kPermissionDenied, "the repository keeps " + std::string(key));
  }

  bool refuses_always(std::string_view what, std::string_view key) const {
    return fixed_by(options_.seed, fmt::format("{} {}", what, key)) % 100 < refusing_percent_;
  }
  bool refuses_now() { return faulty() && !quiet_ && !outcome_.same_every_time && faults_.percent(refusing_percent_); }

  void shut_down() {
    user_.reset();
    artifact_gc_.reset();
    expiry_.reset();
    controller_.reset();
    web_.reset();
    stores_.reset();
    agent_.reset();
    cluster_.reset();
    disk_.reset();
    store_.reset();
  }

  void crash() {
    ++outcome_.crashes;
    --crashes_left_;
    next_crash_ = steps_ + 1 + faults_.below(deleting_ ? 40 : 600);
    // What has not been committed yet is lost.
    dying_ = true;
    shut_down();
    boot();
    if (deleting_) return remove_workflows();
    remove_libraries();
    start_user();
  }

  void check_promises() {
    if (!submitted_) return;
    for (const std::string& name : workflows_) {
      const auto workflow = get({&cluster::kWorkflows, "sim", name});
      if (!workflow && deleting_) continue;
      if (!workflow) {
        outcome_.complaints.push_back(fmt::format("workflow {} is lost: {}", name, workflow.error().message));
        continue;
      }
      const std::vector<std::string> broken = promises_.broken_by(**workflow);
      outcome_.complaints.insert(outcome_.complaints.end(), broken.begin(), broken.end());
    }
    if (deleting_) return;
    for (const cluster::Key& key : promises_.objects()) {
      if (key.resource == &cluster::kPods && host_.removed.contains(key.name)) continue;
      if (!get(key)) outcome_.complaints.push_back(fmt::format("{} {} is lost", key.resource->kind, key.name));
    }
  }

  // What happens in it.

  void submit_workflows() {
    quiet_ = true;
    for (RandomManifest& manifest : manifests_) {
      if (!manifest.library.is_null()) create(cluster::kWorkflowTemplates, std::move(manifest.library));
      create(cluster::kWorkflows, std::move(manifest.workflow));
    }
    quiet_ = false;
    submitted_ = true;
  }

  void create(const cluster::Resource& resource, doc::Value object) {
    bool done = false;
    store_->create(resource, std::move(object), [&](const Result<cluster::Object>& answer) {
      TIPHYS_CHECK(answer, "an object can be created while nothing goes wrong");
      done = true;
    });
    executor_->run_until([&] { return done; });
  }

  /// Templates that go while workflows run change nothing for these.
  void remove_libraries() {
    for (std::size_t i = 0; i < workflows_.size(); ++i) {
      if (manifests_[i].asks_library) continue;
      const std::string& name = workflows_[i];
      const auto workflow = get({&cluster::kWorkflows, "sim", name});
      if (!workflow || doc::find_string(**workflow, "status", "phase").empty() || !faults_.percent(50)) continue;
      bool done = false;
      store_->remove({&cluster::kWorkflowTemplates, "sim", "of-" + name}, {},
                     [&](const Result<cluster::Object>&) { done = true; });
      executor_->run_until([&] { return done; });
    }
  }

  void start_user() {
    user_ = std::make_unique<FakeUser>(*executor_, *store_, workflows_, !outcome_.same_every_time, faults_);
  }

  Result<cluster::Object> get(const cluster::Key& key) {
    std::optional<Result<cluster::Object>> answer;
    store_->get(key, [&](Result<cluster::Object> object) { answer = std::move(object); });
    executor_->run_until([&] { return answer.has_value(); });
    TIPHYS_CHECK(answer, "each call is answered");
    return std::move(*answer);
  }

  /// The controller forgets a workflow once its end is written.
  bool all_over() const { return ready_ && controller_->live_runs() == 0; }
  /// What goes at the end of workflows is gone.
  bool all_collected() const {
    return synced_ && std::ranges::none_of(ledger_.on_disk(), [](const auto& each) {
             return controllers::awaits_artifact_gc(each.second);
           });
  }

  // The end.

  void conclude() {
    quiet_ = true;
    executor_->run_ready();
    for (std::size_t i = 0; i < workflows_.size(); ++i) conclude_workflow(workflows_[i], manifests_[i]);
    check_made();
    for (const auto& [node, count] : host_.starts) {
      // A pod that somebody deletes is made again when the plane does not live to see it.
      if (count > 1 && node_faults_.removed_percent == 0)
        outcome_.complaints.push_back(fmt::format("the container of node {} ran {} times", node, count));
    }
    check_promises();
    quiet_ = false;
  }

  // Then they go.

  void begin_deletion() {
    deleting_ = true;
    user_.reset();
    if (faulty()) crashes_left_ = faults_.below(5);
    next_crash_ = steps_ + faults_.below(40);
    remove_workflows();
  }

  /// Until it is on disk; those with a time to live go by themselves.
  void remove_workflows() {
    for (std::size_t i = 0; i < workflows_.size(); ++i) {
      const auto known = ledger_.on_disk().find(workflows_[i]);
      const bool going =
          known != ledger_.on_disk().end() && !doc::find_string(known->second, "metadata", "deletionTimestamp").empty();
      if (manifests_[i].expires || going) continue;
      store_->remove({&cluster::kWorkflows, "sim", workflows_[i]}, {}, [this](const Result<cluster::Object>& answer) {
        if (answer || answer.error().code == Code::kNotFound || dying_) return;
        executor_->schedule(executor_->now() + std::chrono::seconds(1), [this] { remove_workflows(); });
      });
    }
  }

  void conclude_deletion() {
    quiet_ = true;
    for (const std::string& name : workflows_) ledger_.at_end(name);
    bool done = false;
    store_->list(cluster::kPods, {}, [&](const Result<cluster::List>& list) {
      for (const cluster::Object& pod : list->items) {
        const doc::Value& owner = doc::find(*pod, "metadata", "ownerReferences")->as_array().at(0);
        if (ledger_.on_disk().contains(std::string(doc::find_string(owner, "name")))) continue;
        outcome_.complaints.push_back(
            fmt::format("pod {} is left behind by its workflow", doc::find_string(*pod, "metadata", "name")));
      }
      done = true;
    });
    executor_->run_until([&] { return done; });
  }

  /// Each node of a resource template that has succeeded has made one object, and only such nodes have.
  void check_made() {
    std::size_t made = 0;
    bool done = false;
    store_->list(cluster::kConfigMaps, {}, [&](const Result<cluster::List>& list) {
      made = static_cast<std::size_t>(std::ranges::count_if(list->items, [](const cluster::Object& each) {
        return doc::find_string(*each, "metadata", "labels", "made") == "yes";
      }));
      done = true;
    });
    executor_->run_until([&] { return done; });
    if (made < made_least_ || made > made_most_) {
      outcome_.complaints.push_back(
          fmt::format("{} objects were made by {} to {} nodes", made, made_least_, made_most_));
    }
  }

  void note_made(const doc::Value& node) {
    const std::string_view name = doc::find_string(node, "templateName");
    const std::string_view other = doc::find_string(node, "templateRef", "template");
    if (doc::find_string(node, "type") != "Pod" || (!name.starts_with("made-") && !other.starts_with("made-"))) return;
    ++made_most_;  // one that was ended meanwhile may have made its object
    if (doc::find_string(node, "phase") == "Succeeded") ++made_least_;
    if (doc::find_string(node, "message").find("already exists") != std::string_view::npos) {
      outcome_.complaints.push_back(
          fmt::format("node {} does not know its own object", doc::find_string(node, "name")));
    }
  }

  void conclude_workflow(const std::string& name, const RandomManifest& manifest) {
    const auto workflow = get({&cluster::kWorkflows, "sim", name});
    if (!workflow) return;
    ledger_.at_rest(**workflow, manifest.collects, manifest.forced);
    const std::string_view phase = doc::find_string(**workflow, "status", "phase");
    const std::string_view message = doc::find_string(**workflow, "status", "message");
    if (doc::find_string(**workflow, "metadata", "labels", controllers::kCompletedLabel) != "true") {
      outcome_.complaints.push_back(fmt::format("workflow {} did not end: {} {} after {} s", name, phase, message,
                                                (executor_->now() - begin_) / std::chrono::seconds(1)));
    }
    if (message.starts_with("invalid spec")) {
      outcome_.complaints.push_back(fmt::format("workflow {} is invalid: {}", name, message));
    }
    outcome_.trees[name] = tree_of(**workflow);
    if (const doc::Value* status = doc::find(**workflow, "status")) outcome_.statuses[name] = doc::to_json(*status);
    if (::getenv("TIPHYS_SHOW")) {
      bool done = false;
      store_->list(cluster::kPods, {}, [&](const Result<cluster::List>& list) {
        for (const auto& pod : list->items) fmt::print("{}\n", doc::to_json(*pod));
        done = true;
      });
      executor_->run_until([&] { return done; });
    }
  }

  std::string tree_of(const doc::Value& workflow) {
    std::map<std::string, std::string> nodes;
    if (const doc::Value* members = doc::find(workflow, "status", "nodes"); members && members->is_object()) {
      for (const auto& [id, node] : members->as_object()) {
        nodes[std::string(doc::find_string(node, "name"))] = timeless(node.as_object());
        ++outcome_.nodes;
        note_made(node);
      }
    }
    std::string tree = fmt::format("{} {}\n", doc::find_string(workflow, "status", "phase"),
                                   doc::find_string(workflow, "status", "message"));
    for (const auto& [name, json] : nodes) tree += json + "\n";
    if (const doc::Value* artifacts = doc::find(workflow, "status", "artifactGCStatus"))
      tree += doc::to_json(*artifacts);
    return tree;
  }

  static std::string timeless(doc::Object node) {
    for (const std::string_view field :
         {"startedAt", "finishedAt", "estimatedDuration", "hostNodeName", "resourcesDuration"})
      node.erase(field);
    for (const std::string_view field : {"children", "outboundNodes"}) {
      doc::Value* ids = node.if_contains(field);
      if (!ids || !ids->is_array()) continue;
      std::ranges::sort(ids->as_array(), {}, [](const doc::Value& id) { return std::string_view(id.as_string()); });
    }
    return doc::to_json(std::move(node));
  }

  WorldOptions options_;
  Chance ids_, faults_;
  WorldOutcome outcome_;
  // What is simulated is the database's logic, not the disk.
  store::TempDir folder_{store::TempDir::memory()};
  Host host_;
  Promises promises_;
  std::vector<std::string> workflows_;
  std::vector<RandomManifest> manifests_;  ///< with documents until they are submitted
  ArtifactLedger ledger_{host_.artifacts, outcome_.complaints};
  Time begin_{};

  std::size_t made_least_ = 0, made_most_ = 0;  ///< objects, by what the nodes say
  std::size_t steps_ = 0, crashes_left_ = 0, next_crash_ = 0;
  std::size_t refusing_percent_ = 0;  ///< of artifacts
  std::size_t failing_commits_percent_ = 0;
  Disturbances disturbances_;
  NodeFaults node_faults_;
  bool dying_ = false;
  bool quiet_ = false;  ///< nothing fails
  bool submitted_ = false;
  bool deleting_ = false;  ///< the workflows have ended and go
  bool synced_ = false;    ///< the ledger knows what is there
  bool ready_ = false;     ///< the controller has taken up what there is

  std::unique_ptr<SimulatedExecutor> executor_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cluster::Watch> disk_;
  std::unique_ptr<DisturbedCluster> cluster_;
  std::unique_ptr<FakeAgent> agent_;
  std::unique_ptr<artifact::Stores> stores_;
  std::unique_ptr<FakeWeb> web_;
  std::unique_ptr<controllers::WorkflowController> controller_;
  std::unique_ptr<controllers::ExpiryController> expiry_;
  std::unique_ptr<controllers::ArtifactGcController> artifact_gc_;
  std::unique_ptr<FakeUser> user_;
};

}  // namespace

WorldOutcome run_world(const WorldOptions& options) {
  return World(options).run();
}

}  // namespace tiphys::simulation
