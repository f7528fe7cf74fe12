#include "engine/retry_hosts.h"

#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

std::string affinity(const CreatePod& pod) {
  const doc::Value* found = doc::find(*pod.template_document, "affinity");
  return found ? doc::to_json(*found) : "";
}

std::string not_in(std::string_view hosts) {
  return fmt::format(
      R"({{"nodeAffinity":{{"requiredDuringSchedulingIgnoredDuringExecution":{{"nodeSelectorTerms":[{{"matchExpressions":)"
      R"([{{"key":"kubernetes.io/hostname","operator":"NotIn","values":[{}]}}]}}]}}}}}})",
      hosts);
}

/// Apart from what runs by itself.
void fail_pod(FakeWorld& world, std::string_view name, std::string host) {
  PodChanged ended = pod_changed(node_id("wf", name), PodChanged::Phase::kFailed);
  ended.started_at = ended.finished_at = kStart;
  ended.host_node_name = std::move(host);
  world.due.clear();
  world.apply(ended);
}

TEST(RetryHosts, AttemptsAvoidThoseThatFailed) {
  for (const char* strategy : {"retryStrategy: {limit: 3, affinity: {nodeAntiAffinity: {}}}, ", ""}) {
    const bool of_template = *strategy != '\0';
    FakeWorld world(fmt::format(
        "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main, {} "
        "templates: [{{name: main, {} container: {{image: i}}}}]}}}}",
        of_template ? "" : "retryStrategy: {limit: 3, affinity: {nodeAntiAffinity: {}}},", strategy));
    world.apply(Started{});
    EXPECT_EQ(affinity(world.created.back()), "");
    fail_pod(world, "wf(0)", "b");
    EXPECT_EQ(affinity(world.created.back()), not_in(R"("b")"));
    fail_pod(world, "wf(1)", "a");
    EXPECT_EQ(affinity(world.created.back()), not_in(R"("a","b")"));
  }
}

TEST(RetryHosts, NobodyElseDoes) {
  FakeWorld world(
      "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: wf}, spec: {entrypoint: main, templates: "
      "[{name: main, retryStrategy: {limit: 3}, container: {image: i}}]}}");
  world.apply(Started{});
  fail_pod(world, "wf(0)", "a");
  ASSERT_EQ(world.created.size(), 2u);
  EXPECT_EQ(affinity(world.created.back()), "");
}

TEST(RetryHosts, AreAddedToAnAffinityThatIsThere) {
  struct Row {
    const char* rule;
    const char* before;
    const char* after;
  };
  for (const Row& row : {
           Row{"beside others", R"({"podAffinity":{}})",
               R"({"podAffinity":{},"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{)"
               R"("nodeSelectorTerms":[{"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"NotIn",)"
               R"("values":["a"]}]}]}}})"},
           Row{"to the first term",
               R"({"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[)"
               R"({"matchExpressions":[{"key":"zone","operator":"In","values":["z"]}]}]}}})",
               R"({"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[)"
               R"({"matchExpressions":[{"key":"zone","operator":"In","values":["z"]},{"key":"kubernetes.io/hostname",)"
               R"("operator":"NotIn","values":["a"]}]}]}}})"},
           Row{"to hosts that are avoided already",
               R"({"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[)"
               R"({"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"NotIn","values":["x","a"]}]}]}}})",
               R"({"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[)"
               R"({"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"NotIn","values":["x","a"]}]}]}}})"},
       }) {
    const doc::Value before = *doc::parse_json(row.before);
    EXPECT_EQ(doc::to_json(with_hosts_avoided(&before, {"a"})), row.after) << row.rule;
  }
}

}  // namespace
}  // namespace tiphys::engine
