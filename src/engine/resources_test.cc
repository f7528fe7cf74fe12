// What nodes have cost: pods by themselves, others by the pods that are reached from them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

// In the fake world a pod that succeeds costs one second of cpu, one that fails two.
std::int64_t cpu(const FakeWorld& world, const std::string& node) {
  const api::ResourcesDuration found = world.node(node).resources_duration;
  const auto cpu = found.find("cpu");
  return cpu == found.end() ? 0 : cpu->second;
}

TEST(ResourcesDuration, OfStepsAndRetries) {
  FakeWorld world(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: a, template: leaf}
      - {name: b, template: often}
    - - {name: c, template: leaf, withItems: [1, 2]}
      - {name: d, template: leaf, when: "false"}
  - name: leaf
    container: {image: i}
  - name: often
    retryStrategy: {limit: 2}
    container: {image: i}
)");
  world.ends["wf[0].b(0)"] = failing();
  world.play();
  EXPECT_EQ(cpu(world, "wf[0].a"), 1);
  EXPECT_EQ(cpu(world, "wf[0].b(0)"), 2);
  EXPECT_EQ(cpu(world, "wf[1].d"), 0);
  EXPECT_EQ(world.run->status().resources_duration, (api::ResourcesDuration{{"cpu", 6}, {"memory", 15}}));
  EXPECT_EQ(world.node("wf").resources_duration, world.run->status().resources_duration);
  // As in the original, what comes after is reached through children too.
  EXPECT_EQ(cpu(world, "wf[0].b"), 3 + 2);
  EXPECT_EQ(cpu(world, "wf[0]"), 6);
  EXPECT_EQ(cpu(world, "wf[1]"), 2);
}

TEST(ResourcesDuration, ANodeThatIsReachedOnSeveralWaysCountsOnce) {
  FakeWorld world(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: inner}
      - {name: b, template: leaf, depends: a}
      - {name: c, template: leaf, depends: a}
      - {name: d, template: inner, depends: b && c}
  - name: inner
    steps: [[{name: x, template: leaf}]]
  - name: leaf
    container: {image: i}
)");
  world.play();
  EXPECT_EQ(cpu(world, "wf"), 4);
  EXPECT_EQ(cpu(world, "wf.a"), 4);
  EXPECT_EQ(cpu(world, "wf.d"), 1);
}

TEST(ResourcesDuration, OfALongChainAndAWideFan) {
  std::string tasks;
  for (int i = 0; i < 3000; ++i) {
    tasks +=
        fmt::format("      - {{name: t{}, template: inner{}}}\n", i, i > 0 ? fmt::format(", depends: t{}", i - 1) : "");
  }
  FakeWorld world(fmt::format(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
{}
  - name: inner
    steps: [[{{name: x, template: leaf}}]]
  - name: leaf
    container: {{image: i}}
)",
                              tasks));
  world.play();
  EXPECT_EQ(cpu(world, "wf"), 3000);
  EXPECT_EQ(cpu(world, "wf.t1000"), 2000);
}

}  // namespace
}  // namespace tiphys::engine
