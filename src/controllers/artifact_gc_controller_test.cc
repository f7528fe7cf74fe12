#include "controllers/artifact_gc_controller.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "controllers/artifact_gc.h"
#include "controllers/testing.h"

namespace tiphys::controllers {
namespace {

constexpr std::string_view kEnded = R"({
  apiVersion: argoproj.io/v1alpha1, kind: Workflow,
  metadata: {name: wf, namespace: argo, finalizers: [workflows.argoproj.io/artifact-gc],
             labels: {tiphys.io/expires: "true", workflows.argoproj.io/completed: "true"}},
  spec: {entrypoint: main, artifactGC: {strategy: OnWorkflowCompletion},
         templates: [{name: main, container: {image: i}}]}})";
constexpr std::string_view kNode =
    R"({"id": "wf", "name": "wf", "type": "Pod", "phase": "Succeeded", "templateName": "main",)"
    R"( "templateScope": "local/wf", "outputs": {"artifacts": [{"name": "a", "s3": {"key": "wf/a"}}]}})";

/// A workflow that has ended, its artifact in a folder, and a disk that can be full.
class ArtifactGcControllerTest : public testing::Test {
 protected:
  ArtifactGcControllerTest() {
    store::TestStore::Options options;
    options.before_commit = [this]() -> Status {
      if (++commits_ != failing_) return {};
      return fail(Code::kResourceExhausted, "disk full");
    };
    store_.emplace(std::move(options));
    std::filesystem::create_directories(folder_.path() + "/wf/a");
    EXPECT_TRUE(store_->create(cluster::kWorkflows, yaml(kEnded)));
    EXPECT_TRUE(store_->update_workflow_status(
        kKey, {.nodes = {{"wf", std::string(kNode)}}, .fields = {{"phase", "Succeeded"}}, .completed = true}));
    commits_ = 0;
  }

  void collect() {
    ArtifactGcController controller(store_->executor(), store_->store(), stores_);
    controller.start();
    store_->executor().run_until([] { return false; }, 1000);
  }
  doc::Value workflow() { return **store_->get(kKey); }

  inline static const cluster::Key kKey{&cluster::kWorkflows, "argo", "wf"};
  store::TempDir folder_;
  std::unique_ptr<artifact::Repository> repository_ = artifact::make_folder_repository(folder_.path());
  artifact::Stores stores_{*repository_};
  std::size_t commits_ = 0, failing_ = 0;
  std::optional<store::TestStore> store_;
};

TEST_F(ArtifactGcControllerTest, ArtifactsGoAndThenTheFinalizer) {
  collect();
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/wf"));
  EXPECT_FALSE(has_gc_finalizer(workflow()));
  EXPECT_EQ(doc::find(workflow(), "metadata", "labels", "tiphys.io/expires"), nullptr);
  EXPECT_EQ(commits_, 2U);
}

class FullDisk : public ArtifactGcControllerTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(FullDisk, KeepsNothingForEver) {
  failing_ = GetParam();
  collect();
  EXPECT_GE(commits_, 3U) << "what failed is done again";
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/wf"));
  EXPECT_FALSE(has_gc_finalizer(workflow()));
}

INSTANTIATE_TEST_SUITE_P(AtTheStatus, FullDisk, testing::Values(1));
INSTANTIATE_TEST_SUITE_P(AtTheFinalizer, FullDisk, testing::Values(2));

}  // namespace
}  // namespace tiphys::controllers
