// Where limits come from and what their changes do; locks of workflows from their beginning to their end, over
// restarts.
#include "controllers/locks.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/sync_limit.h"
#include "controllers/workflow_controller.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << documents.error().message;
  return std::move(documents->front().root);
}

// ---- Limits ----

class LocksTest : public testing::Test {
 protected:
  LocksTest() { open(); }

  /// As after a restart.
  void open() {
    said_.clear();
    locks_.emplace(store_.executor(), store_.store(), std::chrono::seconds(1));
  }
  void config_map(std::string_view data) {
    const auto made = store_.create(
        cluster::kConfigMaps,
        yaml(fmt::format("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, namespace: argo}}, data: {}}}",
                         data)));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    store_.run();
  }
  void set(std::string_view data) {
    const auto patched = store_.patch({&cluster::kConfigMaps, "argo", "c"}, cluster::PatchType::kMerge,
                                      yaml(fmt::format("data: {}", data)));
    ASSERT_TRUE(patched.has_value()) << patched.error().message;
    store_.run();
  }
  void remove() {
    ASSERT_TRUE(store_.remove({&cluster::kConfigMaps, "argo", "c"}).has_value());
    store_.run();
  }
  void ask(const std::string& holder, std::string_view lock = "argo/ConfigMap/c/k") {
    engine::AcquireLocks ask;
    ask.request.holder = holder;
    ask.request.locks = {*engine::LockName::parse(lock, true)};
    locks_->acquire(std::move(ask), [this, holder](const engine::LocksAnswered& answer) {
      using enum engine::LocksAnswered::Answer;
      said_.push_back(holder + (answer.answer == kGranted ? " has it" : ": " + answer.message));
    });
    store_.run();
  }
  std::vector<std::string> said() { return std::exchange(said_, {}); }

  store::TestStore store_;
  std::optional<Locks> locks_;
  std::vector<std::string> said_;
};

TEST_F(LocksTest, ASemaphoreHasAsManyHoldersAsTheConfigMapSays) {
  locks_->open();
  config_map("{k: \"2\"}");
  for (const char* holder : {"argo/a", "argo/b", "argo/c"}) ask(holder);
  EXPECT_THAT(said(), ElementsAre("argo/a has it", "argo/b has it",
                                  "argo/c: Waiting for argo/ConfigMap/c/k lock. Lock status: 0/2"));
  locks_->release("argo/a");
  EXPECT_THAT(said(), ElementsAre("argo/c has it"));
}

TEST_F(LocksTest, AChangeOfTheLimitCountsAtOnce) {
  locks_->open();
  config_map("{k: \"1\"}");
  ask("argo/a");
  ask("argo/b");
  said();
  set("{k: \"2\"}");
  EXPECT_THAT(said(), ElementsAre("argo/b has it"));
  set("{k: \"1\"}");
  ask("argo/c");
  EXPECT_THAT(said(), ElementsAre("argo/c: Waiting for argo/ConfigMap/c/k lock. Lock status: -1/1"));
  locks_->release("argo/a");
  EXPECT_THAT(said(), IsEmpty()) << "b is one already";
  locks_->release("argo/b");
  EXPECT_THAT(said(), ElementsAre("argo/c has it"));
}

TEST_F(LocksTest, WithoutALimitNobodyCanAsk) {
  locks_->open();
  const std::string refused = "argo/a: failed to initialize semaphore argo/ConfigMap/c/k with limit: ";
  ask("argo/a");
  EXPECT_THAT(said(), ElementsAre(refused + "configmaps \"c\" not found"));
  config_map("{other: \"1\"}");
  ask("argo/a");
  EXPECT_THAT(said(), ElementsAre(refused + "Sync configuration key 'k' not found in ConfigMap"));
  for (const auto& [text, why] : {std::pair{"0", "it is 0"}, {"two", "\"two\" is no whole number"}}) {
    set(fmt::format("{{k: \"{}\"}}", text));
    ask("argo/a");
    EXPECT_THAT(said(), ElementsAre(refused + why));
  }
  set("{k: \"+1\"}");
  ask("argo/a");
  EXPECT_THAT(said(), ElementsAre("argo/a has it"));
}

TEST_F(LocksTest, ALimitOfZeroLaterOnLetsAllWait) {
  locks_->open();
  config_map("{k: \"1\"}");
  ask("argo/a");
  set("{k: \"0\"}");
  ask("argo/b");
  EXPECT_THAT(said(), ElementsAre("argo/a has it", "argo/b: Failed to get semaphore limit for argo/ConfigMap/c/k"));
  locks_->release("argo/a");
  EXPECT_THAT(said(), IsEmpty());
  set("{k: \"1\"}");
  EXPECT_THAT(said(), ElementsAre("argo/b has it"));
}

TEST_F(LocksTest, WhoLosesTheLimitKeepsTheLast) {
  locks_->open();
  config_map("{k: \"1\"}");
  ask("argo/a");
  remove();
  ask("argo/b");
  locks_->release("argo/a");
  EXPECT_THAT(said(), ElementsAre("argo/a has it", "argo/b: Waiting for argo/ConfigMap/c/k lock. Lock status: 0/1",
                                  "argo/b has it"));
}

TEST_F(LocksTest, AfterARestartHoldersKeepASemaphoreWithoutALimit) {
  locks_->take_up(
      yaml("{metadata: {name: a, namespace: argo}, status: {synchronization: {semaphore: {holding: "
           "[{semaphore: argo/ConfigMap/c/k, holders: [argo/a/1]}]}}}}"));
  ask("argo/b");
  EXPECT_THAT(said(), IsEmpty()) << "all that goes on is heard first";
  locks_->open();
  EXPECT_THAT(said(), ElementsAre("argo/b: Failed to get semaphore limit for argo/ConfigMap/c/k"));
  config_map("{k: \"1\"}");
  EXPECT_THAT(said(), ElementsAre("argo/b: Waiting for argo/ConfigMap/c/k lock. Lock status: 0/1"));
  locks_->release_workflow("argo/a");
  EXPECT_THAT(said(), ElementsAre("argo/b has it"));
}

TEST_F(LocksTest, DatabaseSemaphoresHaveSyncLimits) {
  locks_->open();
  ask("argo/a", "argo/Database/any key/of mine");
  EXPECT_THAT(said(), ElementsAre(HasSubstr("there is no sync limit \"any key/of mine\": tiphys sync create")));
  ASSERT_TRUE(store_.create(cluster::kSyncLimits, sync_limit("argo", "any key/of mine", 1)).has_value());
  ask("argo/a", "argo/Database/any key/of mine");
  ask("argo/b", "argo/Database/any key/of mine");
  EXPECT_THAT(said(), ElementsAre("argo/a has it",
                                  "argo/b: Waiting for argo/Database/any key/of mine lock "
                                  "(sem/argo/any key/of mine). Lock status: 1/1"));
}

TEST_F(LocksTest, WhatIsTakenUpAgainLosesNothingMeanwhile) {
  locks_->open();
  config_map("{k: \"1\"}");
  ask("argo/a");
  ask("argo/b");
  said();
  const doc::Value a = yaml(
      "{metadata: {name: a, namespace: argo}, status: {synchronization: {semaphore: {holding: [{semaphore: "
      "argo/ConfigMap/c/k, holders: [argo/a]}]}}}}");
  locks_->take_up(a);
  EXPECT_THAT(said(), IsEmpty());
  locks_->keep([](const std::string& workflow) { return workflow == "argo/b"; });
  EXPECT_THAT(said(), ElementsAre("argo/b has it"));
}

// ---- Workflows ----

class LockedWorkflowsTest : public testing::Test {
 protected:
  LockedWorkflowsTest() { restart(); }
  ~LockedWorkflowsTest() override { controller_.reset(); }

  void restart() {
    controller_.reset();
    store_.run();
    controller_.emplace(store_.executor(), store_.store(), random_);
    controller_->start([] {});
    store_.run();
  }
  void submit(std::string_view name, std::string_view spec, std::string_view leaf) {
    const auto made = store_.create(
        cluster::kWorkflows,
        yaml(fmt::format("{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: {}, namespace: argo}}, "
                         "spec: {{entrypoint: main{}, templates: [{{name: main, container: {{image: i}}{}}}]}}}}",
                         name, spec, leaf)));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    store_.run();
  }
  /// A workflow that holds the mutex, the other that waits for it.
  void submit_two(bool of_the_workflow) {
    constexpr std::string_view kMutex = ", synchronization: {mutexes: [{name: m}]}";
    for (const char* name : {"a", "b"}) {
      submit(name, of_the_workflow ? kMutex : "", of_the_workflow ? "" : kMutex);
    }
  }
  cluster::Key workflow(std::string name) const { return {&cluster::kWorkflows, "argo", std::move(name)}; }
  doc::Value get(const std::string& name) {
    auto object = store_.get(workflow(name));
    EXPECT_TRUE(object.has_value()) << name;
    return object ? **object : doc::Value();
  }
  std::string phase(const std::string& name) { return std::string(doc::find_string(get(name), "status", "phase")); }
  std::string locks(const std::string& name) {
    const doc::Value object = get(name);
    const doc::Value* status = doc::find(object, "status", "synchronization");
    return status && !status->is_null() ? doc::to_json(*status) : "";
  }
  bool has_pod(const std::string& name) { return store_.get({&cluster::kPods, "argo", name}).has_value(); }
  void patch(const cluster::Key& key, std::string_view merge) {
    const auto patched = store_.patch(key, cluster::PatchType::kMerge, yaml(merge));
    EXPECT_TRUE(patched.has_value()) << (patched ? "" : patched.error().message);
    store_.run();
  }
  void end_pod(const std::string& name) {
    patch({&cluster::kPods, "argo", name},
          "status: {phase: Succeeded, containerStatuses: [{name: main, state: {terminated: {exitCode: 0}}}]}");
  }

  SeededRandom random_{1};
  store::TestStore store_;
  std::optional<WorkflowController> controller_;
};

TEST_F(LockedWorkflowsTest, TheStatusSaysWhatIsHeldAndAwaited) {
  submit_two(true);
  EXPECT_EQ(locks("a"), R"({"mutex":{"holding":[{"mutex":"argo/Mutex/m","holder":"argo/a"}]}})");
  EXPECT_EQ(locks("b"), R"({"mutex":{"waiting":[{"mutex":"argo/Mutex/m","holder":"argo/a"}]}})");
  EXPECT_EQ(phase("b"), "Pending");
  EXPECT_EQ(doc::find_string(get("b"), "status", "message"), "Waiting for argo/Mutex/m lock. Lock status: 0/1");
  EXPECT_EQ(doc::find(get("b"), "status", "startedAt"), nullptr);
  end_pod("a");
  EXPECT_EQ(locks("a"), "");
  EXPECT_EQ(phase("b"), "Running");
  EXPECT_EQ(doc::find_string(get("b"), "status", "message"), "");
  EXPECT_EQ(locks("b"), R"({"mutex":{"holding":[{"mutex":"argo/Mutex/m","holder":"argo/b"}]}})");
}

TEST_F(LockedWorkflowsTest, ANodesHolderIsTheNode) {
  submit_two(false);
  EXPECT_EQ(locks("a"), R"({"mutex":{"holding":[{"mutex":"argo/Mutex/m","holder":"argo/a/a"}]}})");
  EXPECT_EQ(locks("b"), R"({"mutex":{"waiting":[{"mutex":"argo/Mutex/m","holder":"argo/a/a"}]}})");
  const doc::Value b = get("b");
  const doc::Value* node = doc::find(b, "status", "nodes", "b");
  ASSERT_TRUE(node);
  EXPECT_EQ(doc::find_string(*node, "phase"), "Pending");
  EXPECT_EQ(doc::find_string(*node, "message"), "Waiting for argo/Mutex/m lock. Lock status: 0/1");
  EXPECT_EQ(doc::find_string(*node, "synchronizationStatus", "waiting"), "argo/Mutex/m");
  EXPECT_FALSE(has_pod("b"));
  end_pod("a");
  EXPECT_TRUE(has_pod("b"));
}

TEST_F(LockedWorkflowsTest, ARestartChangesNothing) {
  for (const bool of_the_workflow : {true, false}) {
    submit_two(of_the_workflow);
    const std::string a = locks("a"), b = locks("b");
    restart();
    EXPECT_EQ(locks("a"), a);
    EXPECT_EQ(locks("b"), b);
    EXPECT_FALSE(has_pod("b"));
    end_pod("a");
    EXPECT_EQ(locks("a"), "");
    restart();
    EXPECT_TRUE(has_pod("b"));
    EXPECT_EQ(doc::find_string(get("b"), "status", "message"), "");
    end_pod("b");
    EXPECT_EQ(locks("b"), "");
    for (const char* name : {"a", "b"}) {
      EXPECT_EQ(phase(name), "Succeeded");
      ASSERT_TRUE(store_.remove(workflow(name)).has_value());
    }
    store_.run();
  }
}

TEST_F(LockedWorkflowsTest, WhoIsDeletedGivesBack) {
  for (const bool of_the_workflow : {true, false}) {
    submit_two(of_the_workflow);
    ASSERT_TRUE(store_.remove(workflow("a")).has_value());
    store_.run();
    EXPECT_TRUE(has_pod("b"));
    ASSERT_TRUE(store_.remove(workflow("b")).has_value());
    store_.run();
  }
}

TEST_F(LockedWorkflowsTest, WhoIsStoppedGivesBackAndStopsToWait) {
  submit_two(true);
  submit("c", ", synchronization: {mutexes: [{name: m}]}", "");
  patch(workflow("b"), "spec: {shutdown: Terminate}");
  EXPECT_EQ(phase("b"), "Failed");
  EXPECT_EQ(doc::find_string(get("b"), "status", "message"), "Stopped with strategy 'Terminate'");
  patch(workflow("a"), "spec: {shutdown: Stop}");
  end_pod("a");
  EXPECT_EQ(phase("a"), "Failed");
  EXPECT_TRUE(has_pod("c"));
}

TEST_F(LockedWorkflowsTest, HigherPriorityGoesFirstAlsoWhenItIsGivenLater) {
  submit_two(true);
  submit("c", ", priority: 1, synchronization: {mutexes: [{name: m}]}", "");
  submit("d", ", synchronization: {mutexes: [{name: m}]}", "");
  patch(workflow("d"), "spec: {priority: 2}");
  restart();
  for (const auto& [ends, next] : {std::pair{"a", "d"}, {"d", "c"}, {"c", "b"}}) {
    end_pod(ends);
    EXPECT_EQ(phase(next), "Running") << next;
  }
}

TEST_F(LockedWorkflowsTest, AMissingConfigMapFailsTheWorkflowAndErrsTheNode) {
  constexpr std::string_view kSemaphore = ", synchronization: {semaphores: [{configMapKeyRef: {name: c, key: k}}]}";
  submit("a", kSemaphore, "");
  EXPECT_EQ(phase("a"), "Failed");
  EXPECT_EQ(doc::find_string(get("a"), "status", "message"),
            "Failed to acquire the synchronization lock. failed to initialize semaphore argo/ConfigMap/c/k with limit: "
            "configmaps \"c\" not found");
  submit("b", "", kSemaphore);
  EXPECT_EQ(phase("b"), "Error");
  EXPECT_EQ(doc::find_string(get("b"), "status", "message"),
            "error in entry template execution: failed to initialize semaphore argo/ConfigMap/c/k with limit: "
            "configmaps \"c\" not found");
}

}  // namespace
}  // namespace tiphys::controllers
