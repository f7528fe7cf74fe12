// A containerSet: one pod, and a node for each of its containers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

constexpr std::string_view kGraph = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: set, template: set}
    - - {name: next, template: leaf}
  - name: leaf
    container: {image: i}
  - name: set
    containerSet:
      containers:
      - {name: a, image: i}
      - {name: b, image: i}
      - {name: c, image: i, dependencies: [a, b]}
      - {name: main, image: i, dependencies: [a, b]}
)";

PodChanged::Container ended(std::string name, int exit_code, std::string message = "") {
  return {.name = std::move(name),
          .state = PodChanged::Container::State::kEnded,
          .exit_code = exit_code,
          .message = std::move(message)};
}

TEST(ContainerSet, HasANodeForEachContainer) {
  FakeWorld world(kGraph);
  world.play();
  EXPECT_EQ(world.tree(),
            "Succeeded\n"
            "wf Steps Succeeded -> [0] => next\n"
            "wf[0] StepGroup Succeeded -> set\n"
            "wf[0].set Pod Succeeded -> a, b\n"
            "wf[0].set.a Container Succeeded -> c, main\n"
            "wf[0].set.b Container Succeeded -> c, main\n"
            "wf[0].set.c Container Succeeded -> [1]\n"
            "wf[0].set.main Container Succeeded -> [1]\n"
            "wf[1] StepGroup Succeeded -> next\n"
            "wf[1].next Pod Succeeded\n");
  EXPECT_EQ(world.run->status().progress, "6/6");
  EXPECT_EQ(world.node("wf[0].set").progress, "1/1");
  const api::NodeStatus container = world.node("wf[0].set.main");
  EXPECT_EQ(container.boundary_id, world.node("wf[0].set").id);
  EXPECT_EQ(container.template_name, "set");
  EXPECT_EQ(container.template_scope, "local/wf");
}

struct EndCase {
  const char* rule;
  PodEnd end;
  const char* set;  ///< the nodes of pod, a, b, c and main
};

TEST(ContainerSet, ContainersEndAsTheirStatesSay) {
  using Phase = PodChanged::Phase;
  PodEnd failed{Phase::kFailed, "a: Error (exit code 3)", std::nullopt};
  failed.containers = {ended("a", 3, "a: Error (exit code 3)"), ended("b", 0),
                       ended("c", 64, "c: Error (exit code 64): dependency \"a\" exited with non-zero code: 3"),
                       ended("main", 143, "main: Error (exit code 143)")};
  const PodEnd before_start{Phase::kError, "init: Error (exit code 64)", std::nullopt};
  const PodEnd gone{Phase::kGone, "pod deleted", std::nullopt};
  const EndCase cases[] = {
      {"64 is an error, others are failures", failed,
       "wf[0].set Pod Failed \"a: Error (exit code 3)\" -> a, b\n"
       "wf[0].set.a Container Failed \"a: Error (exit code 3)\" -> c, main\n"
       "wf[0].set.b Container Succeeded -> c, main\n"
       "wf[0].set.c Container Error \"c: Error (exit code 64): dependency \"a\" exited with non-zero code: 3\"\n"
       "wf[0].set.main Container Failed \"main: Error (exit code 143)\"\n"},
      {"a pod that ends without a word of them", before_start,
       "wf[0].set Pod Error \"init: Error (exit code 64)\" -> a, b\n"
       "wf[0].set.a Container Failed \"Pod Failed whilst container running\" -> c, main\n"
       "wf[0].set.b Container Failed \"Pod Failed whilst container running\" -> c, main\n"
       "wf[0].set.c Container Failed \"Pod Failed whilst container running\"\n"
       "wf[0].set.main Container Failed \"Pod Failed whilst container running\"\n"},
      {"a pod that is deleted", gone,
       "wf[0].set Pod Error \"pod deleted\" -> a, b\n"
       "wf[0].set.a Container Error \"container deleted\" -> c, main\n"
       "wf[0].set.b Container Error \"container deleted\" -> c, main\n"
       "wf[0].set.c Container Error \"container deleted\"\n"
       "wf[0].set.main Container Error \"container deleted\"\n"},
  };
  for (const EndCase& row : cases) {
    FakeWorld world(kGraph);
    world.ends["wf[0].set"] = row.end;
    world.play();
    EXPECT_THAT(world.tree(), testing::HasSubstr(row.set)) << row.rule;
  }
}

TEST(ContainerSet, StoppingEndsItsContainersToo) {
  FakeWorld world(kGraph);
  world.apply(Started{});
  world.step();
  EXPECT_EQ(world.node("wf[0].set.a").phase, api::NodePhase::kRunning);
  world.apply(ShutdownRequested{"Terminate", ""});
  for (const char* container : {"a", "b", "c", "main"}) {
    const api::NodeStatus node = world.node(std::string("wf[0].set.") + container);
    EXPECT_EQ(node.phase, api::NodePhase::kFailed) << container;
    EXPECT_EQ(node.message, "workflow shutdown with strategy:  Terminate") << container;
  }
}

TEST(ContainerSet, EachAttemptHasItsOwn) {
  FakeWorld world(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: set
  templates:
  - name: set
    retryStrategy: {limit: 1}
    containerSet:
      containers: [{name: a, image: i}]
)");
  world.ends["wf(0)"] = failing();
  world.play();
  EXPECT_EQ(world.tree(),
            "Succeeded\n"
            "wf Retry Succeeded -> wf(0), wf(1)\n"
            "wf(0) Pod Failed \"main: Error (exit code 1)\" -> a\n"
            "wf(0).a Container Failed \"a: Error (exit code 1)\"\n"
            "wf(1) Pod Succeeded -> a\n"
            "wf(1).a Container Succeeded\n");
}

/// The ends of its containers leave no room for others yet, whatever was held back before: the exit handler goes first,
/// as in a run that was restored meanwhile.
TEST(ContainerSet, ItsExitHandlerGoesBeforeWhatIsHeldBack) {
  const auto play = [](bool crashes) {
    FakeWorld world(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  parallelism: 1
  templates:
  - name: main
    parallelism: 1
    steps: [[{name: set, template: set, withItems: [a, b], onExit: leaf}]]
  - name: set
    memoize: {key: k, cache: {configMap: {name: c}}}
    containerSet:
      containers: [{name: a, image: i}]
  - name: leaf
    container: {image: i}
)");
    world.apply(Started{});
    while (world.step()) {
      if (crashes && !world.run->status().finished()) world.crash();
    }
    return world.order;
  };
  const std::vector<std::string> order = play(false);
  EXPECT_EQ(order, play(true));
  const auto at = [&](std::string_view name) { return std::ranges::find(order, node_id("wf", name)); };
  EXPECT_LT(at("wf[0].set(0:a).onExit"), at("wf[0].set(1:b)"));
}

}  // namespace
}  // namespace tiphys::engine
