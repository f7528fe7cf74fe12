// How far nodes and the run are, by what ends and by what pods tell of themselves.
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTwo = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: main
  templates:
    - {name: main, dag: {failFast: false, tasks: [{name: a, template: work}, {name: b, template: work}]}}
    - {name: work, container: {image: i}})";

PodChanged telling(const FakeWorld& world, const std::string& node, Progress progress) {
  PodChanged event = pod_changed(world.node(node).id, PodChanged::Phase::kRunning);
  event.progress = progress;
  return event;
}

/// Of a, the whole DAG and the run.
std::string shown(const FakeWorld& world) {
  return fmt::format("{} {} {}", world.node("wf.a").progress, world.node("wf").progress, world.run->status().progress);
}

TEST(Progress, AStepThatTellsNothingIsOnePiece) {
  FakeWorld world(kTwo);
  world.ends = {{"wf.a", failing()}};
  world.apply(Started{});
  EXPECT_EQ(shown(world), "0/1 0/2 0/2");
  while (world.step()) {
  }
  EXPECT_EQ(shown(world), "0/1 1/2 1/2");
}

TEST(Progress, WhatAPodTellsCountsInstead) {
  FakeWorld world(kTwo);
  world.apply(Started{});
  world.apply(telling(world, "wf.a", {10, 100}));
  EXPECT_EQ(shown(world), "10/100 10/101 10/101");
  world.apply(telling(world, "wf.a", {50, 200}));
  EXPECT_EQ(shown(world), "50/200 50/201 50/201");
  world.crash();
  EXPECT_EQ(shown(world), "50/200 50/201 50/201") << "persisted";
  while (world.step()) {
  }
  EXPECT_EQ(shown(world), "200/200 201/201 201/201") << "success completes it";
}

TEST(Progress, AFailedPodKeepsWhatItTold) {
  FakeWorld world(kTwo);
  world.ends = {{"wf.a", failing()}};
  world.ends["wf.a"].progress = Progress{3, 4};
  world.play();
  EXPECT_EQ(shown(world), "3/4 4/5 4/5");
}

TEST(Progress, AnAttemptStartsAnew) {
  FakeWorld world(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: main
  templates: [{name: main, retryStrategy: {limit: 1}, container: {image: i}}])");
  world.ends = {{"wf(0)", failing()}};
  world.ends["wf(0)"].progress = Progress{3, 4};
  world.play();
  EXPECT_EQ(world.node("wf(0)").progress, "3/4");
  EXPECT_EQ(world.node("wf(1)").progress, "1/1");
  EXPECT_EQ(world.node("wf").progress, "4/5");
}

// ---- The time that pods are given as ARGO_DEADLINE ----

std::optional<Time> deadline(const FakeWorld& world, std::size_t pod) {
  return world.created.at(pod).run_deadline;
}

TEST(RunDeadline, IsTheWorkflowsButForExitHandlers) {
  FakeWorld world(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: work
  onExit: work
  activeDeadlineSeconds: 30
  templates: [{name: work, activeDeadlineSeconds: 10, container: {image: i}}])");
  world.play();
  ASSERT_EQ(world.created.size(), 2u);
  EXPECT_EQ(deadline(world, 0), kStart + 30s);
  EXPECT_EQ(deadline(world, 1), std::nullopt);
}

TEST(RunDeadline, IsTheRetriesWhenThatIsEarlier) {
  for (const auto& [whole, expected] :
       {std::pair{"", 20s}, {"activeDeadlineSeconds: 30", 20s}, {"activeDeadlineSeconds: 9", 9s}}) {
    FakeWorld world(fmt::format(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: work
  {}
  templates:
    - {{name: work, retryStrategy: {{limit: 1, backoff: {{duration: 1s, maxDuration: 20s}}}}, container: {{image: i}}}})",
                                whole));
    world.ends = {{"wf(0)", failing()}};
    world.play();
    ASSERT_EQ(world.created.size(), 2u);
    EXPECT_EQ(deadline(world, 1), kStart + expected) << whole;
  }
}

}  // namespace
}  // namespace tiphys::engine
