// Controllers over the real store in virtual time, for their tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "controllers/expiry_controller.h"
#include "controllers/names.h"
#include "controllers/workflow_controller.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {

inline doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << documents.error().message;
  return std::move(documents->front().root);
}

class ControllersTest : public testing::Test {
 protected:
  ControllersTest() {
    store::TestStore::Options options;
    options.before_commit = store::full_disk(failures_);
    store_.emplace(std::move(options));
  }
  ~ControllersTest() override { stop(); }

  void start(std::string_view config) {
    stop();
    auto read = api::read_controller_config(config, "config.yaml");
    ASSERT_TRUE(read) << read.error().message;
    controller_.emplace(store_->executor(), store_->store(), random_,
                        WorkflowControllerOptions{.config = read->config});
    controller_->start([this] { ready_ = true; });
    expiry_.emplace(store_->executor(), store_->store(), ExpiryControllerOptions{.retention = read->config.retention});
    expiry_->start();
    store_->run();
    EXPECT_TRUE(ready_) << "whatever waits";
  }
  void stop() {
    expiry_.reset();
    controller_.reset();
    store_->run();
    ready_ = false;
  }
  void pass(Duration time) {
    const Time until = store_->executor().now() + time;
    store_->executor().schedule(until, [] {});
    store_->executor().run_until([&] { return store_->executor().now() >= until; }, 100'000);
    store_->run();
  }
  /// A workflow that waits for a user; `more` are members of its spec.
  void submit(std::string_view name, std::string_view more = "", std::string_view ns = "argo") {
    create(cluster::kWorkflows, workflow(name, more, ns));
  }
  static std::string workflow(std::string_view name, std::string_view more = "", std::string_view ns = "argo") {
    return fmt::format(
        "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: {}, namespace: {}}}, spec: "
        "{{{}entrypoint: main, templates: [{{name: main, suspend: {{}}}}]}}}}",
        name, ns, more);
  }
  void create(const cluster::Resource& resource, std::string_view text) {
    const auto created = store_->create(resource, yaml(text));
    ASSERT_TRUE(created) << created.error().message;
    store_->run();
  }
  void end(const std::string& name, std::string_view shutdown = "Terminate", std::string ns = "argo") {
    ASSERT_TRUE(store_->patch({&cluster::kWorkflows, std::move(ns), name}, cluster::PatchType::kMerge,
                              {{"spec", {{"shutdown", shutdown}}}}));
    store_->run();
  }
  void remove(const std::string& name) {
    ASSERT_TRUE(store_->remove({&cluster::kWorkflows, "argo", name}, {}));
    store_->run();
  }
  doc::Value get(const std::string& name, std::string ns = "argo") {
    auto object = store_->get({&cluster::kWorkflows, std::move(ns), name});
    return object ? **object : doc::Value();
  }
  std::vector<std::string> in_phase(std::string_view phase) {
    std::vector<std::string> names;
    const auto list = store_->list(cluster::kWorkflows);
    for (const cluster::Object& each : list->items) {
      if (doc::find_string(*each, "status", "phase") != phase) continue;
      EXPECT_EQ(doc::find_string(*each, "metadata", "labels", kPhaseLabel), phase);
      names.emplace_back(doc::find_string(*each, "metadata", "name"));
    }
    return names;
  }

  SeededRandom random_{1};
  int failures_ = 0;
  bool ready_ = false;
  std::optional<store::TestStore> store_;
  std::optional<WorkflowController> controller_;
  std::optional<ExpiryController> expiry_;
};

}  // namespace tiphys::controllers
