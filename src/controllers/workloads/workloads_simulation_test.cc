// Jobs and Deployments under random pods, edits and crashes of their controllers between any two turns: never more pods
// than allowed, nothing counted twice, and the wanted state in the end.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "controllers/workloads/conditions.h"
#include "controllers/workloads/job_plan.h"
#include "controllers/workloads/testing.h"

namespace tiphys::controllers::workloads {
namespace {

constexpr int kSeeds = 30;
constexpr int kSteps = 120;

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : plane(":memory:", seed), random(seed) {}

  std::uint64_t below(std::uint64_t end) { return random.next() % end; }
  bool chance(int percent) { return below(100) < static_cast<std::uint64_t>(percent); }
  /// Some turns pass, then the controllers may die where they are.
  void some_turns() {
    for (std::uint64_t turns = below(12); turns > 0; --turns) plane.turn();
    if (chance(20)) plane.crash();
  }

  TestPlane plane;
  SeededRandom random;
};

TEST(JobSimulation, EachCompletionIsCountedOnce) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Simulation world(seed);
    const auto parallelism = 1 + world.below(4);
    const auto completions = 1 + world.below(6);
    const bool indexed = world.chance(50);
    world.plane.make(cluster::kJobs,
                     fmt::format("metadata: {{name: j}}\nspec: {{parallelism: {}, completions: {}, backoffLimit: 1000, "
                                 "completionMode: {}, template: {{spec: {{restartPolicy: Never, containers: [{{name: "
                                 "main, image: b}}]}}}}}}\n",
                                 parallelism, completions, indexed ? "Indexed" : "NonIndexed"));
    std::set<std::string> succeeded, failed;
    const auto finished = [&] { return job_finished(*world.plane.get(cluster::kJobs, "j")); };
    for (int step = 0; step < kSteps || (step < 20 * kSteps && !finished()); ++step) {
      world.some_turns();
      const auto active = world.plane.active_pods();
      ASSERT_LE(active.size(), parallelism);
      ASSERT_LE(active.size() + succeeded.size(), completions);
      if (active.empty()) {
        world.plane.advance(std::chrono::seconds(30));
      } else {
        const auto& pod = active[world.below(active.size())];
        const bool well = world.chance(70);
        (well ? succeeded : failed).insert(uid_of(*pod));
        world.plane.end_pod_quietly(*pod, well ? 0 : 1);
      }
    }
    world.plane.run();
    ASSERT_TRUE(finished());
    EXPECT_EQ(world.plane.field(cluster::kJobs, "j", "status", "succeeded"), std::to_string(completions));
    EXPECT_EQ(world.plane.field(cluster::kJobs, "j", "status", "failed"),
              failed.empty() ? "" : std::to_string(failed.size()));
    EXPECT_EQ(succeeded.size(), completions);
  }
}

TEST(DeploymentSimulation, NeverHasMorePodsThanItMay) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Simulation world(seed);
    const auto replicas = 1 + world.below(5);
    const auto surge = world.below(3);
    const auto unavailable = surge == 0 ? 1 + world.below(2) : world.below(3);
    world.plane.make(
        cluster::kDeployments,
        fmt::format(
            "metadata: {{name: d}}\nspec: {{replicas: {}, selector: {{matchLabels: {{a: b}}}}, strategy: {{type: "
            "RollingUpdate, rollingUpdate: {{maxSurge: {}, maxUnavailable: {}}}}}, template: {{metadata: {{labels: "
            "{{a: b}}}}, spec: {{restartPolicy: Always, containers: [{{name: main, image: i0}}]}}}}}}\n",
            replicas, surge, unavailable));
    int image = 0;
    for (int step = 0; step < kSteps; ++step) {
      world.some_turns();
      const auto active = world.plane.active_pods();
      ASSERT_LE(active.size(), replicas + surge);
      if (world.chance(5)) {
        world.plane.patch_quietly(
            cluster::kDeployments, "d",
            fmt::format(
                R"({{"spec": {{"template": {{"spec": {{"containers": [{{"name": "main", "image": "i{}"}}]}}}}}}}})",
                ++image));
      } else if (!active.empty() && world.chance(70)) {
        world.plane.run_pod_quietly(*active[world.below(active.size())]);
      } else {
        world.plane.finish_removals_quietly();
      }
    }
    world.plane.run();
    world.plane.run_all();
    EXPECT_EQ(world.plane.active_pods().size(), replicas);
    for (const auto& pod : world.plane.active_pods()) {
      EXPECT_EQ(doc::find_string(list_at(*pod, "spec", "containers")[0], "image"), fmt::format("i{}", image));
    }
    EXPECT_EQ(world.plane.field(cluster::kDeployments, "d", "status", "updatedReplicas"), std::to_string(replicas));
  }
}

}  // namespace
}  // namespace tiphys::controllers::workloads
