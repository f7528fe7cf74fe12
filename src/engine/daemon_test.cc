#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

constexpr const char* kTemplates = R"(
  - {name: server, daemon: true, container: {image: i, command: [c]}}
  - {name: stubborn, daemon: true, retryStrategy: {limit: 1}, container: {image: i, command: [c]}}
  - {name: client, inputs: {parameters: [{name: ip}]}, container: {image: i, command: [c], args: ["{{inputs.parameters.ip}}"]}}
  - {name: leaf, container: {image: i, command: [c]}}
)";

std::string manifest(const std::string& main) {
  return "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: wf}\nspec:\n  entrypoint: main\n  "
         "templates:\n" +
         main + kTemplates;
}

PodEnd serving() {
  PodEnd end;
  end.runs = std::chrono::hours(1);
  return end;
}
PodEnd lasting(int seconds) {
  PodEnd end;
  end.runs = std::chrono::seconds(seconds);
  return end;
}

constexpr const char* kSteps = R"(
  - name: main
    steps:
    - - {name: s, template: server}
    - - {name: c, template: client, arguments: {parameters: [{name: ip, value: "{{steps.s.ip}}"}]}}
)";

TEST(Daemon, LetsStepsGoOnAndEndsWithThem) {
  FakeWorld world(manifest(kSteps));
  world.ends["wf[0].s"] = serving();
  world.apply(Started{});
  EXPECT_EQ(world.node("wf[0].s").phase, api::NodePhase::kPending);
  world.step();
  EXPECT_TRUE(world.node("wf[0].s").daemoned);
  EXPECT_EQ(world.node("wf[0].s").phase, api::NodePhase::kRunning);
  EXPECT_EQ(world.node("wf[0].s").pod_ip, "10.0.0.7");
  while (!world.run->status().finished() && world.step()) {
  }
  EXPECT_EQ(world.args("wf[1].c"), R"(["10.0.0.7"])");
  EXPECT_EQ(world.stopped.size(), 1u);
  EXPECT_EQ(world.tree(),
            "Succeeded\n"
            "wf Steps Succeeded -> [0] => c\n"
            "wf[0] StepGroup Succeeded -> s\n"
            "wf[0].s Pod Succeeded -> [1]\n"
            "wf[1] StepGroup Succeeded -> c\n"
            "wf[1].c Pod Succeeded\n");
}

TEST(Daemon, StaysPendingUntilItIsReady) {
  FakeWorld world(manifest(kSteps));
  world.apply(Started{});
  world.due.clear();
  world.apply(pod_changed(node_id("wf", "wf[0].s"), PodChanged::Phase::kRunning));
  EXPECT_EQ(world.node("wf[0].s").phase, api::NodePhase::kPending);
  EXPECT_FALSE(world.node("wf[0].s").daemoned);
}

TEST(Daemon, ThatEndsFailsItsGroupEvenAfterIt) {
  FakeWorld world(manifest(kSteps));
  world.ends["wf[0].s"] = lasting(1);
  world.ends["wf[1].c"] = lasting(3);
  world.play();
  EXPECT_EQ(world.tree(),
            "Failed child 'wf-4288209357' failed\n"
            "wf Steps Failed \"child 'wf[0].s' failed\" -> [0] => c\n"
            "wf[0] StepGroup Failed \"child 'wf[0].s' failed\" -> s\n"
            "wf[0].s Pod Failed -> [1]\n"
            "wf[1] StepGroup Succeeded -> c\n"
            "wf[1].c Pod Succeeded\n");
}

TEST(Daemon, ThatEndsIsRetried) {
  FakeWorld world(manifest(R"(
  - name: main
    steps:
    - - {name: s, template: stubborn}
    - - {name: c, template: leaf}
)"));
  PodEnd dying = failing(2);
  world.ends["wf[0].s(0)"] = dying;
  world.ends["wf[0].s(1)"] = serving();
  world.ends["wf[1].c"] = lasting(3);
  world.apply(Started{});
  while (!world.run->status().finished() && world.step()) {
  }
  EXPECT_EQ(world.tree(),
            "Succeeded\n"
            "wf Steps Succeeded -> [0] => c\n"
            "wf[0] StepGroup Succeeded -> s\n"
            "wf[0].s Retry Succeeded -> s(0), s(1)\n"
            "wf[0].s(0) Pod Failed \"main: Error (exit code 2)\" -> [1]\n"
            "wf[1] StepGroup Succeeded -> c\n"
            "wf[1].c Pod Succeeded\n"
            "wf[0].s(1) Pod Succeeded\n");
}

TEST(Daemon, InADagCountsAsDaemoned) {
  FakeWorld world(manifest(R"(
  - name: main
    dag:
      tasks:
      - {name: s, template: server}
      - {name: c, template: client, depends: s, arguments: {parameters: [{name: ip, value: "{{tasks.s.ip}}"}]}}
      - {name: d, template: leaf, depends: s.Daemoned}
      - {name: never, template: leaf, depends: s.Succeeded}
)"));
  world.ends["wf.s"] = serving();
  world.apply(Started{});
  while (!world.run->status().finished() && world.step()) {
  }
  EXPECT_EQ(world.args("wf.c"), R"(["10.0.0.7"])");
  EXPECT_EQ(world.node("wf.d").phase, api::NodePhase::kSucceeded);
  EXPECT_EQ(world.node("wf.never").phase, api::NodePhase::kOmitted);
  EXPECT_EQ(world.node("wf.s").phase, api::NodePhase::kSucceeded);
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
}

TEST(Daemon, IsEndedByAStopWithItsScope) {
  FakeWorld world(manifest(kSteps));
  world.ends["wf[0].s"] = world.ends["wf[1].c"] = serving();
  world.apply(Started{});
  for (int i = 0; i < 2; ++i) world.step();
  world.apply(ShutdownRequested{"Stop", ""});
  EXPECT_EQ(world.node("wf[0].s").phase, api::NodePhase::kSucceeded);
  EXPECT_EQ(world.node("wf[1].c").phase, api::NodePhase::kFailed);
  EXPECT_EQ(world.stopped.size(), 2u);
  EXPECT_EQ(world.run->status().message, "Stopped with strategy 'Stop'");
}

TEST(Daemon, AsEntryIsEndedOnceItIsReady) {
  FakeWorld world(manifest("  - {name: main, daemon: true, container: {image: i, command: [c]}}"));
  world.ends["wf"] = serving();
  world.apply(Started{});
  world.step();
  EXPECT_EQ(world.tree(), "Succeeded\nwf Pod Succeeded\n");
}

TEST(PendingTimeout, EndsANodeThatStaysPending) {
  FakeWorld world(manifest("  - {name: main, pendingTimeout: 5s, container: {image: i, command: [c]}}"));
  world.apply(Started{});
  world.due.clear();
  world.step();
  EXPECT_EQ(world.now, kStart + std::chrono::seconds(5));
  EXPECT_EQ(world.tree(), "Failed timeout\nwf Pod Failed \"timeout\"\n");
}

}  // namespace
}  // namespace tiphys::engine
