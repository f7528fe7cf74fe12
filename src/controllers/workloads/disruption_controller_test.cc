#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cluster/disruption_budget.h"
#include "cluster/rare_resources.h"
#include "controllers/workloads/conditions.h"
#include "controllers/workloads/testing.h"

namespace tiphys::controllers::workloads {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kTemplate =
    "selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {restartPolicy: Always, "
    "containers: [{name: main, image: one}]}}";

class DisruptionTest : public testing::Test {
 protected:
  void make_budget(std::string_view spec) {
    plane.make(cluster::kPodDisruptionBudgets,
               fmt::format("metadata: {{name: b}}\nspec: {{{}, selector: {{matchLabels: {{app: web}}}}}}\n", spec));
  }
  void make_pod(std::string_view name, std::string_view labels = "app: web") {
    plane.make(cluster::kPods, fmt::format("metadata: {{name: {}, labels: {{{}}}}}\nspec: {{containers: [{{name: main, "
                                           "image: x}}]}}\n",
                                           name, labels));
  }
  void make_ready(std::string_view name) { plane.run_pod(*plane.get(cluster::kPods, name)); }
  /// "allowed: healthy of desired, expected".
  std::string status() {
    const auto of = [&](const char* field) {
      return plane.field(cluster::kPodDisruptionBudgets, "b", "status", field);
    };
    return fmt::format("{}: {} of {}, {}", of("disruptionsAllowed"), of("currentHealthy"), of("desiredHealthy"),
                       of("expectedPods"));
  }
  std::string reason() {
    const auto budget = plane.get(cluster::kPodDisruptionBudgets, "b");
    const doc::Value* found = find_condition(value_at(*budget, "status"), "DisruptionAllowed");
    return found ? fmt::format("{} {}", doc::find_string(*found, "status"), doc::find_string(*found, "reason")) : "";
  }
  std::size_t events(std::string_view wanted) {
    return static_cast<std::size_t>(std::ranges::count_if(
        plane.all(cluster::kEvents), [&](const auto& event) { return doc::find_string(*event, "reason") == wanted; }));
  }

  TestPlane plane;
};

TEST_F(DisruptionTest, CountsThePodsOfItsSelector) {
  make_budget("minAvailable: 1");
  EXPECT_EQ(status(), "0: 0 of 1, 0");
  EXPECT_EQ(reason(), "False InsufficientPods");
  EXPECT_EQ(events("NoPods"), 1U);
  make_pod("a");
  make_pod("b");
  make_pod("other", "app: other");
  EXPECT_EQ(status(), "0: 0 of 1, 2");
  make_ready("a");
  EXPECT_EQ(status(), "0: 1 of 1, 2");
  make_ready("b");
  EXPECT_EQ(status(), "1: 2 of 1, 2");
  EXPECT_EQ(reason(), "True SufficientPods");
  static_cast<void>(plane.store().remove({&cluster::kPods, "default", "a"}));
  plane.run();
  EXPECT_EQ(status(), "0: 1 of 1, 2") << "one that is going counts as one of the pods, and is not healthy";
}

TEST_F(DisruptionTest, CountsPodsOfWorkflowsToo) {
  make_pod("step", "app: web, workflows.argoproj.io/workflow: w");
  make_ready("step");
  make_budget("minAvailable: 0");
  EXPECT_EQ(status(), "1: 1 of 0, 1");
}

TEST_F(DisruptionTest, FollowsItsSelectorAndItsSpec) {
  make_pod("a");
  make_ready("a");
  make_budget("minAvailable: 0");
  EXPECT_EQ(status(), "1: 1 of 0, 1");
  plane.merge(cluster::kPodDisruptionBudgets, "b", R"({"spec": {"selector": {"matchLabels": {"app": "other"}}}})");
  EXPECT_EQ(status(), "0: 0 of 0, 0");
  plane.merge(cluster::kPodDisruptionBudgets, "b", R"({"spec": {"selector": {"matchLabels": null}}})");
  EXPECT_EQ(status(), "1: 1 of 0, 1") << "an empty selector is for all";
  plane.merge(cluster::kPodDisruptionBudgets, "b", R"({"spec": {"selector": null}})");
  EXPECT_EQ(status(), "0: 0 of 0, 0") << "none is for none";
  EXPECT_EQ(plane.field(cluster::kPodDisruptionBudgets, "b", "status", "observedGeneration"),
            plane.field(cluster::kPodDisruptionBudgets, "b", "metadata", "generation"));
}

TEST_F(DisruptionTest, CountsWhatOwnersWant) {
  struct Row {
    const char* name;
    const char* spec;
    const char* status;
  };
  const Row rows[] = {
      {"a number that may miss", "maxUnavailable: 1", "1: 4 of 3, 4"},
      {"a share that may miss is rounded up", "maxUnavailable: 30%", "2: 4 of 2, 4"},
      {"a share that must be there is rounded up", "minAvailable: 51%", "1: 4 of 3, 4"},
      {"more may miss than there are", "maxUnavailable: 9", "4: 4 of 0, 4"},
      {"nothing is said", "unhealthyPodEvictionPolicy: AlwaysAllow", "0: 4 of 0, 0"},
  };
  plane.make(cluster::kDeployments, fmt::format("metadata: {{name: d}}\nspec: {{replicas: 4, {}}}\n", kTemplate));
  plane.run_all();
  for (const Row& row : rows) {
    make_budget(row.spec);
    EXPECT_EQ(status(), row.status) << row.name;
    static_cast<void>(plane.store().remove({&cluster::kPodDisruptionBudgets, "default", "b"}));
    plane.run();
  }
  make_budget("maxUnavailable: 1");
  plane.merge(cluster::kDeployments, "d", R"({"spec": {"replicas": 2}})");
  plane.finish_removals();
  EXPECT_EQ(status(), "1: 2 of 1, 2");
}

TEST_F(DisruptionTest, TellsOfOwnersThatWantNoNumber) {
  make_pod("a");
  make_ready("a");
  make_budget("maxUnavailable: 1");
  EXPECT_EQ(status(), "0: 1 of 0, 0");
  EXPECT_EQ(events("UnmanagedPods"), 1U);
  plane.make(cluster::kJobs,
             "metadata: {name: j}\nspec: {template: {metadata: {labels: {app: web}}, spec: {restartPolicy: Never, "
             "containers: [{name: main, image: x}]}}}\n");
  EXPECT_EQ(reason(), "False SyncFailed");
  EXPECT_EQ(plane.field(cluster::kPodDisruptionBudgets, "b", "status", "disruptionsAllowed"), "0");
  const auto budget = plane.get(cluster::kPodDisruptionBudgets, "b");
  EXPECT_EQ(doc::find_string(*find_condition(value_at(*budget, "status"), "DisruptionAllowed"), "message"),
            "jobs.batch does not implement the scale subresource");
}

TEST_F(DisruptionTest, WaitsForPodsThatWereEvicted) {
  make_pod("a");
  make_pod("b");
  make_ready("a");
  make_ready("b");
  make_budget("minAvailable: 1");
  EXPECT_EQ(status(), "1: 2 of 1, 2");
  plane.merge(cluster::kPodDisruptionBudgets, "b",
              fmt::format(R"({{"status": {{"disruptionsAllowed": 0, "disruptedPods": {{"a": "{}", "gone": "{}"}}}}}})",
                          format_rfc3339(plane.now()), format_rfc3339(plane.now())));
  EXPECT_EQ(status(), "0: 1 of 1, 2");
  const auto disrupted = [&] { return plane.field(cluster::kPodDisruptionBudgets, "b", "status", "disruptedPods"); };
  EXPECT_TRUE(disrupted().contains("\"a\"") && !disrupted().contains("gone")) << disrupted();
  plane.advance(minutes(2) + seconds(1));
  EXPECT_EQ(status(), "1: 2 of 1, 2");
  EXPECT_EQ(disrupted(), "");
  EXPECT_EQ(events("NotDeleted"), 1U);
}

/// Counts who looks at pods; of some kinds it keeps back that all has been told.
class Watched final : public cluster::Cluster {
 public:
  explicit Watched(cluster::Cluster& inner) : inner_(inner) {}

  void get(const cluster::Key& key, cluster::Done<cluster::Object> done) override { inner_.get(key, std::move(done)); }
  void list(const cluster::Resource& resource, cluster::ListOptions options,
            cluster::Done<cluster::List> done) override {
    inner_.list(resource, std::move(options), std::move(done));
  }
  void create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) override {
    inner_.create(resource, std::move(object), std::move(done));
  }
  void update(const cluster::Key& key, doc::Value object, cluster::Done<cluster::Object> done) override {
    inner_.update(key, std::move(object), std::move(done));
  }
  void patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch,
             cluster::Done<cluster::Object> done) override {
    inner_.patch(key, type, std::move(patch), std::move(done));
  }
  void remove(const cluster::Key& key, cluster::DeleteOptions options, cluster::Done<cluster::Object> done) override {
    inner_.remove(key, std::move(options), std::move(done));
  }
  void update_workflow_status(const cluster::Key& key, cluster::WorkflowStatusUpdate update,
                              cluster::Done<void> done) override {
    inner_.update_workflow_status(key, std::move(update), std::move(done));
  }
  std::unique_ptr<cluster::Watch> watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                        cluster::WatchSink sink) override {
    if (&resource == &cluster::kPods)
      watches.push_back(options.ns + ":" + std::to_string(options.labels.requirements().size()));
    if (late.contains(&resource)) {
      const auto tell = std::make_shared<decltype(sink.on_event)>(std::move(sink.on_event));
      sink.on_event = [this, &resource, tell](const cluster::WatchEvent& event) {
        if (event.type != cluster::WatchEvent::Type::kSynced) return (*tell)(event);
        late.at(&resource).push_back([tell, event] { (*tell)(event); });
      };
    }
    return inner_.watch(resource, std::move(options), std::move(sink));
  }
  std::unique_ptr<cluster::Watch> watch_nodes(const cluster::Key& workflow, NodeSink sink) override {
    return inner_.watch_nodes(workflow, std::move(sink));
  }
  std::unique_ptr<cluster::Watch> read_log(const cluster::Key& pod, cluster::LogOptions options,
                                           cluster::LogSink sink) override {
    return inner_.read_log(pod, std::move(options), std::move(sink));
  }

  void let_go(const cluster::Resource& resource) {
    for (const auto& tell : std::exchange(late.at(&resource), {})) tell();
  }

  std::map<const cluster::Resource*, std::vector<std::function<void()>>> late;  ///< by kind: what is kept back
  std::vector<std::string> watches;  ///< of pods: namespace and how many requirements on labels

 private:
  cluster::Cluster& inner_;
};

TEST(DisruptionController, CopiesThePodsOfBudgetsAlone) {
  store::TestStore store({.path = ":memory:"});
  Watched cluster(store.store());
  WorkloadControllers controllers(store.executor(), cluster);
  controllers.start();
  store.run();
  EXPECT_TRUE(cluster.watches.empty()) << "there is nothing to count";
  auto budget = doc::parse_json(R"({"metadata": {"name": "b", "namespace": "default"},
      "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}})");
  ASSERT_TRUE(store.create(cluster::kPodDisruptionBudgets, std::move(*budget)).has_value());
  store.run();
  EXPECT_EQ(cluster.watches, std::vector<std::string>{"default:1"});
}

TEST(DisruptionController, LooksOnceWhatItReadsIsKnown) {
  for (const auto* last : {&cluster::kPodDisruptionBudgets, &cluster::kReplicaSets, &cluster::kDeployments,
                           &cluster::kStatefulSets, &cluster::kReplicationControllers}) {
    store::TestStore store({.path = ":memory:"});
    auto budget = doc::parse_json(R"({"metadata": {"name": "b", "namespace": "default"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}})");
    ASSERT_TRUE(store.create(cluster::kPodDisruptionBudgets, std::move(*budget)).has_value());
    Watched cluster(store.store());
    cluster.late = {{last, {}}, {&cluster::kJobs, {}}, {&cluster::kCronJobs, {}}};
    WorkloadControllers controllers(store.executor(), cluster);
    controllers.start();
    store.run();
    const auto is_counted = [&] {
      const auto found = store.get({&cluster::kPodDisruptionBudgets, "default", "b"});
      return found && doc::find(**found, "status", "observedGeneration") != nullptr;
    };
    EXPECT_FALSE(is_counted()) << last->plural;
    cluster.let_go(*last);
    store.run();
    EXPECT_TRUE(is_counted()) << last->plural << ", while Jobs and CronJobs are not known yet";
  }
}

TEST_F(DisruptionTest, GoesOnAfterARestart) {
  make_pod("a");
  make_ready("a");
  make_budget("minAvailable: 0");
  plane.restart();
  make_pod("b");
  make_ready("b");
  EXPECT_EQ(status(), "2: 2 of 0, 2");
}

}  // namespace
}  // namespace tiphys::controllers::workloads
