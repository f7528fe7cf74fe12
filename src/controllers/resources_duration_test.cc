#include "controllers/resources_duration.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tiphys::controllers {
namespace {

struct Case {
  const char *name, *spec, *statuses;
  api::ResourcesDuration expected;
};

TEST(ResourcesDurationOfPod, Rules) {
  constexpr const char* kRan60 =
      R"([{"name":"main","state":{"terminated":{"startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:01:00Z"}}}])";
  const Case cases[] = {
      {"without a word 100m and 100Mi", R"({"containers":[{"name":"main"}]})", kRan60, {{"cpu", 6}, {"memory", 60}}},
      {"requests go before limits",
       R"({"containers":[{"name":"main","resources":{"limits":{"cpu":2,"memory":"1Gi"},"requests":{"cpu":"500m"}}}]})",
       kRan60,
       {{"cpu", 30}, {"memory", 614}}},
      {"other resources count by the piece",
       R"({"containers":[{"name":"main","resources":{"limits":{"nvidia.com/gpu":2,"ephemeral-storage":"20Gi"}}}]})",
       kRan60,
       {{"cpu", 6}, {"memory", 60}, {"nvidia.com/gpu", 120}, {"ephemeral-storage", 120}}},
      {"what has not run costs nothing", R"({"containers":[{"name":"main"}]})", "[]", {{"cpu", 0}, {"memory", 0}}},
      {"containers add up",
       R"({"initContainers":[{"name":"i"}],"containers":[{"name":"main"},{"name":"side","resources":{"requests":{"cpu":1}}}]})",
       R"([{"name":"main","state":{"terminated":{"startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:01:00Z"}}},
           {"name":"side","state":{"terminated":{"startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:00:10Z"}}}])",
       {{"cpu", 16}, {"memory", 70}}},
      {"what the pod shares counts once, for the first container without resources of its own",
       R"({"resources":{"requests":{"cpu":2}},"containers":[{"name":"main"},{"name":"side"}]})",
       R"([{"name":"main","state":{"terminated":{"startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:01:00Z"}}},
           {"name":"side","state":{"terminated":{"startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:01:00Z"}}}])",
       {{"cpu", 126}, {"memory", 120}}},
  };
  for (const Case& test : cases) {
    const auto pod =
        doc::parse_json(fmt::format(R"({{"spec":{},"status":{{"containerStatuses":{}}}}})", test.spec, test.statuses));
    ASSERT_TRUE(pod) << test.name;
    EXPECT_EQ(resources_duration(*pod), test.expected) << test.name;
  }
}

}  // namespace
}  // namespace tiphys::controllers
