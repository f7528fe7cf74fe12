#include "controllers/pod_gc.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "controllers/expiry_controller.h"
#include "controllers/workflow_controller.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

using std::chrono::seconds;

/// Two pods after each other, the second one of which may fail.
class PodGcWorld {
 public:
  explicit PodGcWorld(std::string_view pod_gc) {
    start();
    auto documents = doc::parse_yaml(
        fmt::format("{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: w, namespace: argo}}, spec: "
                    "{{entrypoint: main, podGC: {{{}}}, templates: [{{name: main, steps: [[{{name: a, template: a}}], "
                    "[{{name: b, template: b}}]]}}, {{name: a, metadata: {{labels: {{keep: \"no\"}}}}, container: "
                    "{{image: i}}}}, {{name: b, container: {{image: i}}}}]}}}}",
                    pod_gc),
        "test.yaml");
    EXPECT_TRUE(store_.create(cluster::kWorkflows, std::move(documents->front().root)));
    store_.run();
  }
  ~PodGcWorld() { stop(); }

  void start() {
    workflows_.emplace(store_.executor(), store_.store(), random_);
    workflows_->start();
    expiry_.emplace(store_.executor(), store_.store());
    expiry_->start();
    store_.run();
  }
  void stop() {
    expiry_.reset();
    workflows_.reset();
    store_.run();
  }
  /// The templates whose pods exist: "a b".
  std::string pods() {
    std::string text;
    const auto list = store_.list(cluster::kPods);
    for (const auto& object : list->items) {
      const std::string name(doc::find_string(*object, "metadata", "annotations", "workflows.argoproj.io/node-name"));
      text += (text.empty() ? "" : " ") + name.substr(name.rfind('.') + 1);
    }
    return text;
  }
  void end_pod(std::string_view phase) {
    const auto list = store_.list(cluster::kPods, {.fields = *cluster::Selector::parse_fields("status.phase=Pending")});
    for (const auto& object : list->items) {
      const cluster::Key key{&cluster::kPods, "argo", std::string(doc::find_string(*object, "metadata", "name"))};
      EXPECT_TRUE(store_.patch(key, cluster::PatchType::kMerge, {{"status", {{"phase", phase}}}}));
    }
    store_.run();
  }
  void pass(Duration time) {
    const Time until = store_.executor().now() + time;
    store_.executor().schedule(until, [] {});
    store_.executor().run_until([&] { return store_.executor().now() >= until; }, 100'000);
    store_.run();
  }
  std::string phase() {
    return std::string(doc::find_string(**store_.get({&cluster::kWorkflows, "argo", "w"}), "status", "phase"));
  }

 private:
  SeededRandom random_{1};
  store::TestStore store_;
  std::optional<WorkflowController> workflows_;
  std::optional<ExpiryController> expiry_;
};

TEST(PodGc, Strategies) {
  struct Row {
    std::string_view strategy, second, after_first, after_second;
  };
  const Row rows[] = {
      {"", "Succeeded", "a b", "a b"},
      {"OnPodCompletion", "Succeeded", "b", ""},
      {"OnPodCompletion", "Failed", "b", ""},
      {"OnPodSuccess", "Succeeded", "b", ""},
      {"OnPodSuccess", "Failed", "b", "b"},
      {"OnWorkflowCompletion", "Succeeded", "a b", ""},
      {"OnWorkflowCompletion", "Failed", "a b", ""},
      {"OnWorkflowSuccess", "Succeeded", "a b", ""},
      {"OnWorkflowSuccess", "Failed", "a b", "a b"},
  };
  for (const Row& row : rows) {
    for (const bool crash : {false, true}) {
      PodGcWorld world(fmt::format("strategy: \"{}\"", row.strategy));
      const auto restart = [&] {
        if (!crash) return;
        world.stop();
        world.start();
      };
      world.end_pod("Succeeded");
      restart();
      world.pass(seconds(7));
      EXPECT_EQ(world.pods(), row.after_first) << row.strategy;
      world.end_pod(row.second);
      restart();
      world.pass(seconds(7));
      EXPECT_EQ(world.pods(), row.after_second) << row.strategy << " " << row.second;
      EXPECT_EQ(world.phase(), row.second);
    }
  }
}

TEST(PodGc, WaitsForTheDelay) {
  for (const auto& [written, waits] : {std::pair{"deleteDelayDuration: 20s", 20},
                                       {"deleteDelayDuration: \"0\"", 0},
                                       {"", 5},
                                       {"deleteDelayDuration: soon", 5}}) {
    PodGcWorld world(fmt::format("strategy: OnPodCompletion{}{}", *written ? ", " : "", written));
    world.end_pod("Succeeded");
    if (waits > 0) {
      world.pass(seconds(waits - 1));
      EXPECT_EQ(world.pods(), "a b") << written;
    }
    world.pass(seconds(2));
    EXPECT_EQ(world.pods(), "b") << written;
  }
}

TEST(PodGc, OnlyOfPodsWithTheLabels) {
  PodGcWorld world(
      "strategy: OnWorkflowCompletion, labelSelector: {matchLabels: {keep: \"no\"}, matchExpressions: [{key: keep, "
      "operator: In, values: [\"no\", maybe]}, {key: other, operator: DoesNotExist}]}");
  world.end_pod("Succeeded");
  world.end_pod("Succeeded");
  world.pass(seconds(7));
  EXPECT_EQ(world.pods(), "b");
}

TEST(PodGc, SelectorsAsText) {
  const auto text = [](std::string_view json) { return label_selector_text(*doc::parse_json(json)); };
  EXPECT_EQ(text(R"({"matchLabels": {"a": "b"}, "matchExpressions": [
      {"key": "c", "operator": "In", "values": ["d", "e"]}, {"key": "f", "operator": "NotIn", "values": ["g"]},
      {"key": "h", "operator": "Exists"}, {"key": "i", "operator": "DoesNotExist"}]})"),
            "a=b,c in (d,e),f notin (g),h,!i");
}

}  // namespace
}  // namespace tiphys::controllers
