// Nodes and workflows with mutexes and semaphores: when they begin, what they tell, when they give back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string workflow(std::string_view leaf, std::string_view spec = "") {
  return fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main{}, "
      "templates: [{{name: main, steps: [[{{name: a, template: leaf}}, {{name: b, template: leaf}}]]}}, "
      "{{name: leaf, container: {{image: i}}{}}}]}}}}",
      spec, leaf);
}

constexpr std::string_view kMutex = ", synchronization: {mutexes: [{name: m}]}";
constexpr std::string_view kSemaphore =
    ", synchronization: {semaphores: [{configMapKeyRef: {name: limits, key: gpu}}]}";

/// Another workflow has the mutex until then.
void hold_mutex(FakeWorld& world, Duration until) {
  world.hold({*LockName::parse("default/Mutex/m", false), "default/other", kStart + until});
}

/// Names of the nodes whose pods began, with the second after the start.
std::vector<std::string> begun(FakeWorld& world) {
  std::vector<std::string> names;
  world.script = [&names, &world](const CreatePod& pod) {
    names.push_back(fmt::format("{} {}", pod.node_name,
                                std::chrono::duration_cast<std::chrono::seconds>(world.now - kStart).count()));
    return PodEnd{};
  };
  world.play();
  return names;
}

/// Those whose pods were created.
std::vector<std::string> pods(const FakeWorld& world) {
  std::vector<std::string> names;
  for (const CreatePod& pod : world.created) names.push_back(pod.node_name);
  return names;
}

TEST(Locks, ANodeHasThemUntilItsEnd) {
  FakeWorld world(workflow(kMutex));
  world.apply(Started{});
  EXPECT_THAT(world.locks.holders("default/Mutex/m"), ElementsAre("default/wf/" + node_id("wf", "wf[0].a")));
  EXPECT_THAT(world.locks.waiters("default/Mutex/m"), ElementsAre("default/wf/" + node_id("wf", "wf[0].b")));
  EXPECT_EQ(world.node("wf[0].b").phase, api::NodePhase::kPending);
  EXPECT_EQ(world.node("wf[0].b").message, "Waiting for default/Mutex/m lock. Lock status: 0/1");
  EXPECT_EQ(world.node("wf[0].b").awaited_lock, "default/Mutex/m");
  const api::SynchronizationStatus& status = world.run->status().synchronization;
  ASSERT_EQ(status.mutexes_held.size(), 1U);
  EXPECT_EQ(status.mutexes_held[0].name, "default/Mutex/m");
  ASSERT_EQ(status.mutexes_awaited.size(), 1U);
  EXPECT_EQ(status.mutexes_awaited[0].holder, status.mutexes_held[0].holder);
  while (world.step()) {
  }
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
  EXPECT_EQ(world.node("wf[0].b").started_at, kStart) << "when it was made, as in the original";
  EXPECT_EQ(world.node("wf[0].b").awaited_lock, "");
  EXPECT_EQ(world.node("wf[0].b").message, "");
  EXPECT_TRUE(world.run->status().synchronization.empty());
  EXPECT_EQ(world.locks.size(), 0U);
}

TEST(Locks, TheWorkflowBeginsWithItsOwn) {
  FakeWorld world(workflow("", ", synchronization: {mutexes: [{name: m}]}"));
  hold_mutex(world, std::chrono::seconds(5));
  world.apply(Started{});
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kPending);
  EXPECT_EQ(world.run->status().message, "Waiting for default/Mutex/m lock. Lock status: 0/1");
  EXPECT_THAT(pods(world), IsEmpty());
  ASSERT_TRUE(world.step());
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kRunning);
  EXPECT_EQ(world.run->status().started_at, kStart + std::chrono::seconds(5));
  EXPECT_THAT(world.locks.holders("default/Mutex/m"), ElementsAre("default/wf"));
}

TEST(Locks, Rules) {
  struct Row {
    const char* about;
    std::string_view leaf;
    std::string_view spec;
    std::int64_t limit;
    std::vector<std::string> begun;
  };
  const Row rows[] = {
      {"one after the other", kMutex, "", 0, {"wf[0].a 3", "wf[0].b 4"}},
      {"a semaphore of two", kSemaphore, "", 2, {"wf[0].a 0", "wf[0].b 0"}},
      {"a semaphore of one", kSemaphore, "", 1, {"wf[0].a 0", "wf[0].b 1"}},
      {"a mutex of another namespace",
       ", synchronization: {mutexes: [{name: m, namespace: far}]}",
       "",
       0,
       {"wf[0].a 0", "wf[0].b 1"}},
      {"one in the database is another",
       ", synchronization: {mutexes: [{name: m, database: true}]}",
       "",
       0,
       {"wf[0].a 0", "wf[0].b 1"}},
      {"a daemon gives back once it serves",
       ", daemon: true, synchronization: {mutexes: [{name: m, namespace: far}]}",
       "",
       0,
       {"wf[0].a 0", "wf[0].b 0"}},
      {"who waits takes no room", kMutex, ", parallelism: 1", 0, {"wf[0].a 3", "wf[0].b 4"}},
      {"never after the deadline", kMutex, ", activeDeadlineSeconds: 3", 0, {}},
      {"nor after the template's timeout", ", timeout: \"2s\", synchronization: {mutexes: [{name: m}]}", "", 0, {}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.about);
    FakeWorld world(workflow(row.leaf, row.spec));
    hold_mutex(world, std::chrono::seconds(3));
    if (row.limit > 0) world.limits["default/ConfigMap/limits/gpu"] = row.limit;
    EXPECT_EQ(begun(world), row.begun);
    EXPECT_TRUE(world.run->status().finished());
    EXPECT_EQ(world.locks.size(), 0U);
  }
}

/// A workflow of any templates whose first is the entrypoint.
std::string workflow_of_templates(std::string_view templates, std::string_view spec = "") {
  return fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main{}, "
      "templates: [{}]}}}}",
      spec, templates);
}

TEST(Locks, AGroupHoldsThemForAllThatIsInIt) {
  FakeWorld world(
      workflow_of_templates("{name: main, dag: {tasks: [{name: a, template: two}, {name: b, template: two}]}}, "
                            "{name: two, synchronization: {mutexes: [{name: m}]}, steps: [[{name: one, template: "
                            "leaf}], [{name: two, template: "
                            "leaf}]]}, {name: leaf, container: {image: i}}"));
  world.apply(Started{});
  EXPECT_EQ(world.node("wf.b").phase, api::NodePhase::kPending);
  EXPECT_EQ(world.node("wf.b").type, api::NodeType::kSteps);
  while (world.step()) {
  }
  EXPECT_THAT(pods(world), ElementsAre("wf.a[0].one", "wf.a[1].two", "wf.b[0].one", "wf.b[1].two"));
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
}

TEST(Locks, AttemptsShareThemAndNobodyComesBetween) {
  FakeWorld world(workflow(", retryStrategy: {limit: 1}, synchronization: {mutexes: [{name: m}]}"));
  world.script = [](const CreatePod& pod) { return pod.node_name.ends_with("(0)") ? failing() : PodEnd{}; };
  world.play();
  EXPECT_THAT(pods(world), ElementsAre("wf[0].a(0)", "wf[0].a(1)", "wf[0].b(0)", "wf[0].b(1)"));
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
}

TEST(Locks, TheCacheIsAskedOnceTheyAreHeld) {
  FakeWorld world(
      workflow(", memoize: {key: k, cache: {configMap: {name: c}}}, synchronization: {mutexes: [{name: m}]}"));
  world.play();
  EXPECT_THAT(pods(world), ElementsAre("wf[0].a")) << "b finds what a has saved";
  EXPECT_TRUE(world.node("wf[0].b").memoization->hit);
  EXPECT_EQ(world.locks.size(), 0U);
}

TEST(Locks, FailFastBeginsNothingThatWaits) {
  FakeWorld world(workflow_of_templates(
      "{name: main, failFast: true, dag: {tasks: [{name: bad, template: bad}, {name: a, template: leaf}, {name: b, "
      "template: leaf}]}}, {name: bad, container: {image: i}}, {name: leaf, container: {image: i}, synchronization: "
      "{mutexes: [{name: m}]}}"));
  hold_mutex(world, std::chrono::seconds(9));
  world.script = [](const CreatePod&) { return failing(); };
  world.apply(Started{});
  ASSERT_TRUE(world.step() && world.step());
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kFailed) << "it does not wait for the lock either";
  EXPECT_THAT(pods(world), ElementsAre("wf.bad"));
  EXPECT_EQ(world.node("wf.b").phase, api::NodePhase::kFailed);
  EXPECT_EQ(world.node("wf.b").message, "template has failed or errored children and failFast enabled");
  EXPECT_THAT(world.locks.waiters("default/Mutex/m"), IsEmpty());
}

TEST(Locks, WhatWaitsIsStopped) {
  for (const char* strategy : {"Stop", "Terminate"}) {
    FakeWorld world(workflow(kMutex));
    hold_mutex(world, std::chrono::seconds(9));
    world.apply(Started{});
    world.apply(ShutdownRequested{strategy, ""});
    EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kFailed);
    EXPECT_EQ(world.node("wf[0].a").message, fmt::format("Stopped with strategy '{}'", strategy));
    EXPECT_EQ(world.node("wf[0].a").awaited_lock, "");
    EXPECT_THAT(world.locks.waiters("default/Mutex/m"), IsEmpty());
  }
}

TEST(Locks, AWorkflowThatWaitsIsStopped) {
  FakeWorld world(workflow("", ", synchronization: {mutexes: [{name: m}]}"));
  hold_mutex(world, std::chrono::seconds(9));
  world.apply(Started{});
  world.apply(ShutdownRequested{"Terminate", ""});
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kFailed);
  EXPECT_EQ(world.run->status().message, "Stopped with strategy 'Terminate'");
  EXPECT_TRUE(world.run->status().synchronization.empty());
}

TEST(Locks, ASuspendedRunTakesNone) {
  FakeWorld world(workflow(kMutex));
  hold_mutex(world, std::chrono::seconds(3));
  world.apply(Started{});
  world.apply(SuspendChanged{true});
  ASSERT_TRUE(world.step());
  EXPECT_THAT(pods(world), IsEmpty());
  EXPECT_EQ(world.locks.size(), 0U) << "others may have the mutex";
  world.apply(SuspendChanged{false});
  EXPECT_THAT(pods(world), ElementsAre("wf[0].a"));
  while (world.step()) {
  }
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
}

TEST(Locks, ASuspendedWorkflowHoldsItsOwn) {
  FakeWorld world(workflow("", ", suspend: true, synchronization: {mutexes: [{name: m}]}"));
  world.apply(Started{});
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kRunning);
  EXPECT_THAT(world.locks.holders("default/Mutex/m"), ElementsAre("default/wf"));
  EXPECT_THAT(pods(world), IsEmpty());
}

TEST(Locks, APendingTimeoutCountsTheWait) {
  FakeWorld world(workflow(", pendingTimeout: \"2s\", synchronization: {mutexes: [{name: m}]}"));
  hold_mutex(world, std::chrono::seconds(9));
  world.play();
  EXPECT_THAT(pods(world), IsEmpty());
  EXPECT_EQ(world.node("wf[0].a").phase, api::NodePhase::kFailed);
}

TEST(Locks, ExitHandlersHaveTheirs) {
  FakeWorld world(
      workflow_of_templates("{name: main, container: {image: i}}, {name: bye, container: {image: i}, "
                            "synchronization: {mutexes: [{name: m}]}}",
                            ", onExit: bye"));
  hold_mutex(world, std::chrono::seconds(5));
  EXPECT_EQ(begun(world), (std::vector<std::string>{"wf 0", "wf.onExit 5"}));
}

TEST(Locks, WhatIsRefusedIsAnError) {
  FakeWorld world(workflow(kSemaphore));
  EXPECT_THAT(begun(world), IsEmpty());
  EXPECT_EQ(world.node("wf[0].a").phase, api::NodePhase::kError);
  EXPECT_EQ(world.node("wf[0].a").message, "no limit of default/ConfigMap/limits/gpu");
}

TEST(Locks, AWorkflowThatIsRefusedFails) {
  FakeWorld world(workflow("", ", synchronization: {semaphores: [{database: {key: k}}]}"));
  world.play();
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kFailed);
  EXPECT_EQ(world.run->status().message, "Failed to acquire the synchronization lock. no limit of default/Database/k");
}

TEST(Locks, OneNamedTwiceOnceTextsAreReadIsAnError) {
  FakeWorld world(workflow(", synchronization: {mutexes: [{name: m}, {name: \"{{= 'm' }}\"}]}"));
  EXPECT_THAT(begun(world), IsEmpty());
  EXPECT_EQ(world.node("wf[0].a").message, "requested configuration is invalid: duplicate synchronization item found");
}

TEST(Locks, ARestoredRunHasWhatItHadAndAsksForTheRest) {
  FakeWorld world(workflow(kMutex));
  world.apply(Started{});
  world.crash();
  EXPECT_THAT(world.locks.holders("default/Mutex/m"), ElementsAre("default/wf/" + node_id("wf", "wf[0].a")));
  EXPECT_THAT(world.locks.waiters("default/Mutex/m"), ElementsAre("default/wf/" + node_id("wf", "wf[0].b")));
  EXPECT_EQ(world.created.size(), 1U);
}

}  // namespace
}  // namespace tiphys::engine
