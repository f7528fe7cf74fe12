#include "controllers/expiry_controller.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "controllers/expiry.h"
#include "controllers/names.h"
#include "controllers/workflow_controller.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

using std::chrono::seconds;

doc::Value json(std::string_view text) {
  auto value = doc::parse_json(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value ? std::move(*value) : doc::Value();
}

TEST(TimeToLive, Rules) {
  constexpr std::string_view kAll =
      R"({"secondsAfterCompletion": 1, "secondsAfterSuccess": 2, "secondsAfterFailure": 3})";
  constexpr std::string_view kAny = R"({"secondsAfterCompletion": 1})";
  struct Row {
    std::string_view rule, own, stored, phase;
    std::optional<Duration> kept;
  };
  const Row rows[] = {
      {"of success", kAll, "null", "Succeeded", seconds(2)},
      {"of failure", kAll, "null", "Failed", seconds(3)},
      {"an error is a failure", kAll, "null", "Error", seconds(3)},
      {"any end, where nothing else is said", kAny, "null", "Succeeded", seconds(1)},
      {"any failure too", kAny, "null", "Failed", seconds(1)},
      {"nothing for this end", R"({"secondsAfterSuccess": 2})", "null", "Failed", std::nullopt},
      {"none", "null", "null", "Succeeded", std::nullopt},
      {"the template's", "null", kAll, "Succeeded", seconds(2)},
      {"the workflow's own goes before it, whole", R"({"secondsAfterFailure": 9})", kAll, "Succeeded", std::nullopt},
      {"at once", R"({"secondsAfterCompletion": 0})", "null", "Succeeded", seconds(0)},
  };
  for (const Row& row : rows) {
    const doc::Value workflow = json(fmt::format(
        R"({{"spec": {{"ttlStrategy": {}}}, "status": {{"storedWorkflowTemplateSpec": {{"ttlStrategy": {}}}}}}})",
        row.own, row.stored));
    EXPECT_EQ(time_to_live(workflow, row.phase), row.kept) << row.rule;
    EXPECT_EQ(time_to_live(ttl_strategies(workflow), row.phase), row.kept) << row.rule;
  }
}

class ExpiryControllerTest : public testing::Test {
 protected:
  ExpiryControllerTest() {
    store::TestStore::Options options;
    options.before_commit = store::full_disk(failures_);
    store_.emplace(std::move(options));
    start();
  }
  ~ExpiryControllerTest() override { stop(); }

  void start() {
    workflows_.emplace(store_->executor(), store_->store(), random_);
    workflows_->start();
    expiry_.emplace(store_->executor(), store_->store());
    expiry_->start();
    store_->run();
  }
  void stop() {
    expiry_.reset();
    workflows_.reset();
    store_->run();
  }
  /// A workflow without pods, which ends at once: it fails when a condition cannot be evaluated.
  void submit(std::string_view name, std::string_view strategy, std::string_view spec = "") {
    auto documents = doc::parse_yaml(
        fmt::format(
            "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: {}, namespace: argo}}, spec: "
            "{{entrypoint: main, ttlStrategy: {{{}}}, templates: [{{name: main, steps: [[{{name: a, template: "
            "none, when: 1 == 2}}]]}}, {{name: none, suspend: {{}}}}]{}}}}}",
            name, strategy, spec),
        "test.yaml");
    ASSERT_TRUE(documents.has_value()) << documents.error().message;
    ASSERT_TRUE(store_->create(cluster::kWorkflows, std::move(documents->front().root)));
    store_->run();
  }
  bool exists(std::string name) { return store_->get({&cluster::kWorkflows, "argo", std::move(name)}).has_value(); }
  void pass(Duration time) {
    const Time until = store_->executor().now() + time;
    store_->executor().schedule(until, [] {});
    store_->executor().run_until([&] { return store_->executor().now() >= until; }, 100'000);
    store_->run();
  }

  SeededRandom random_{1};
  int failures_ = 0;
  std::optional<store::TestStore> store_;
  std::optional<WorkflowController> workflows_;
  std::optional<ExpiryController> expiry_;
};

TEST_F(ExpiryControllerTest, DeletesWhatHasExpired) {
  submit("kept", "secondsAfterFailure: 1");
  submit("long", "secondsAfterCompletion: 60");
  submit("short", "secondsAfterSuccess: 10, secondsAfterCompletion: 60");
  pass(seconds(9));
  EXPECT_TRUE(exists("short"));
  pass(seconds(4));
  EXPECT_FALSE(exists("short"));
  EXPECT_TRUE(exists("long"));
  pass(seconds(60));
  EXPECT_FALSE(exists("long"));
  EXPECT_TRUE(exists("kept"));
}

TEST_F(ExpiryControllerTest, DeletesWhatExpiredWhileNobodyWasThere) {
  submit("gone", "secondsAfterCompletion: 5");
  submit("to-go", "secondsAfterCompletion: 100");
  stop();
  pass(seconds(50));
  EXPECT_TRUE(exists("gone"));
  start();
  EXPECT_FALSE(exists("gone"));
  EXPECT_TRUE(exists("to-go"));
  pass(seconds(60));
  EXPECT_FALSE(exists("to-go"));
}

TEST_F(ExpiryControllerTest, ACommitThatFailsIsTriedAgain) {
  submit("w", "secondsAfterCompletion: 5");
  failures_ = 1;
  pass(seconds(8));
  EXPECT_TRUE(exists("w"));
  EXPECT_EQ(failures_, 0);
  pass(seconds(20));
  EXPECT_FALSE(exists("w"));
}

TEST_F(ExpiryControllerTest, AnEditedStrategyHolds) {
  submit("w", "secondsAfterCompletion: 5");
  const cluster::Key key{&cluster::kWorkflows, "argo", "w"};
  const doc::Value longer{{"spec", {{"ttlStrategy", {{"secondsAfterCompletion", 50}}}}}};
  ASSERT_TRUE(store_->patch(key, cluster::PatchType::kMerge, longer));
  pass(seconds(20));
  EXPECT_TRUE(exists("w"));
  pass(seconds(40));
  EXPECT_FALSE(exists("w"));
}

TEST_F(ExpiryControllerTest, WhatCannotRunExpiresToo) {
  submit("w", "secondsAfterFailure: 5", ", onExit: nobody");
  ASSERT_TRUE(exists("w"));
  pass(seconds(8));
  EXPECT_FALSE(exists("w"));
}

TEST_F(ExpiryControllerTest, WhatIsTakenUpAgainIsKept) {
  submit("w", "secondsAfterCompletion: 5");
  const cluster::Key key{&cluster::kWorkflows, "argo", "w"};
  const doc::Value retried{{"metadata", {{"labels", {{std::string(kCompletedLabel), nullptr}}}}}};
  ASSERT_TRUE(store_->patch(key, cluster::PatchType::kMerge, retried));
  workflows_.reset();
  pass(seconds(8));
  EXPECT_TRUE(exists("w"));
}

}  // namespace
}  // namespace tiphys::controllers
