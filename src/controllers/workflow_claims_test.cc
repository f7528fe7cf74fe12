#include "controllers/workflow_claims.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/workflow_controller.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WorkflowClaims : public testing::Test {
 protected:
  WorkflowClaims() {
    store::TestStore::Options options;
    options.before_commit = [this]() -> Status {
      if (failures_ == 0) return {};
      if (passes_ > 0) {
        --passes_;
        return {};
      }
      --failures_;
      return fail(Code::kResourceExhausted, "disk full");
    };
    store_.emplace(std::move(options));
    start();
  }
  ~WorkflowClaims() override { controller_.reset(); }

  void start() {
    controller_.reset();
    store_->run();
    controller_.emplace(store_->executor(), store_->store(), random_);
    controller_->start();
    store_->run();
  }

  void submit(std::string_view gc) {
    const std::string manifest = fmt::format(
        R"({{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: w, namespace: argo}}, spec: {{
            entrypoint: main, {} arguments: {{parameters: [{{name: size, value: 2Gi}}]}}, volumeClaimTemplates: [
              {{metadata: {{name: data, labels: {{a: b}}}}, spec: {{accessModes: [ReadWriteOnce],
               resources: {{requests: {{storage: "{{{{workflow.parameters.size}}}}"}}}}}}}}],
            templates: [{{name: main, container: {{image: i, volumeMounts: [{{name: data, mountPath: /data}}]}}}}]}}}})",
        gc);
    auto documents = doc::parse_yaml(manifest, "test.yaml");
    ASSERT_TRUE(documents) << documents.error().message;
    ASSERT_TRUE(store_->create(cluster::kWorkflows, std::move(documents->front().root)));
    store_->run();
  }
  void end_pod(std::string_view phase) {
    store_->executor().run_until([] { return false; }, 1000);
    ASSERT_TRUE(store_->patch({&cluster::kPods, "argo", "w"}, cluster::PatchType::kMerge,
                              doc::Object{{"status", doc::Object{{"phase", phase}}}}));
    store_->executor().run_until([] { return false; }, 1000);
  }
  std::vector<std::string> claims() {
    std::vector<std::string> names;
    const auto list = store_->list(cluster::kPersistentVolumeClaims);
    for (const cluster::Object& object : list->items) {
      names.push_back(fmt::format("{} {}", doc::find_string(*object, "metadata", "name"),
                                  doc::find_string(*object, "spec", "resources", "requests", "storage")));
    }
    return names;
  }
  doc::Value workflow() { return **store_->get({&cluster::kWorkflows, "argo", "w"}); }
  std::string phase() { return std::string(doc::find_string(workflow(), "status", "phase")); }
  std::string noted() {
    const doc::Value object = workflow();
    const doc::Value* found = doc::find(object, "status", "persistentVolumeClaims");
    return found ? doc::to_json(*found) : "";
  }

  int failures_ = 0;
  int passes_ = 0;  ///< commits before those that fail
  SeededRandom random_{1};
  std::optional<store::TestStore> store_;
  std::optional<WorkflowController> controller_;
};

TEST_F(WorkflowClaims, AreMadeBeforeThePodsThatUseThem) {
  submit("");
  EXPECT_THAT(claims(), ElementsAre("w-data 2Gi"));
  EXPECT_EQ(noted(), R"([{"name":"data","persistentVolumeClaim":{"claimName":"w-data"}}])");
  const std::string claim = doc::to_json(**store_->get({&cluster::kPersistentVolumeClaims, "argo", "w-data"}));
  EXPECT_THAT(claim, HasSubstr(R"("labels":{"a":"b","workflows.argoproj.io/workflow":"w"})"));
  const std::string pod = doc::to_json(**store_->get({&cluster::kPods, "argo", "w"}));
  EXPECT_THAT(pod, HasSubstr(R"("volumes":[{"name":"data","persistentVolumeClaim":{"claimName":"w-data"}}])"));
}

TEST_F(WorkflowClaims, AreGivenBack) {
  struct Case {
    const char *gc, *pod_phase;
    bool given_back;
  };
  for (const Case& test : {Case{"", "Succeeded", true}, Case{"", "Failed", false},
                           Case{"volumeClaimGC: {strategy: OnWorkflowSuccess},", "Failed", false},
                           Case{"volumeClaimGC: {strategy: OnWorkflowCompletion},", "Failed", true}}) {
    SCOPED_TRACE(test.gc + std::string(test.pod_phase));
    submit(test.gc);
    end_pod(test.pod_phase);
    EXPECT_EQ(phase(), test.pod_phase);
    EXPECT_EQ(claims().empty(), test.given_back);
    EXPECT_EQ(noted().empty(), test.given_back);
    ASSERT_TRUE(store_->remove({&cluster::kWorkflows, "argo", "w"}));
    store_->run();
    EXPECT_THAT(claims(), IsEmpty()) << "they go with the workflow";
  }
}

TEST_F(WorkflowClaims, AreMadeAndGivenBackOverACrashAndAFailingDisk) {
  controller_.reset();
  submit("");
  failures_ = 3;
  start();
  store_->executor().run_until([] { return false; }, 1000);
  EXPECT_EQ(failures_, 0);
  EXPECT_THAT(claims(), ElementsAre("w-data 2Gi"));
  start();
  EXPECT_THAT(claims(), ElementsAre("w-data 2Gi"));
  controller_.reset();
  ASSERT_TRUE(store_->patch({&cluster::kPods, "argo", "w"}, cluster::PatchType::kMerge,
                            doc::Object{{"status", doc::Object{{"phase", "Succeeded"}}}}));
  // As after a crash between the claim's deletion and the workflow's end.
  ASSERT_TRUE(store_->remove({&cluster::kPersistentVolumeClaims, "argo", "w-data"}));
  start();
  EXPECT_EQ(phase(), "Succeeded");
  EXPECT_EQ(noted(), "");
  EXPECT_THAT(claims(), IsEmpty());
}

TEST_F(WorkflowClaims, LocksGoOnOnlyWhenTheEndIsOnDisk) {
  submit("templateDefaults: {synchronization: {mutexes: [{name: m}]}},");
  auto waiting = doc::parse_yaml(
      "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: next, namespace: argo}, spec: {entrypoint: "
      "main, templates: [{name: main, synchronization: {mutexes: [{name: m}]}, container: {image: i}}]}}",
      "test.yaml");
  ASSERT_TRUE(store_->create(cluster::kWorkflows, std::move(waiting->front().root)));
  store_->run();
  const cluster::Key next{&cluster::kPods, "argo", "next"};
  EXPECT_FALSE(store_->get(next)) << "it waits for the lock";
  passes_ = 2;  // the pod's end, and the claim's removal
  failures_ = 1;
  ASSERT_TRUE(store_->patch({&cluster::kPods, "argo", "w"}, cluster::PatchType::kMerge,
                            doc::Object{{"status", doc::Object{{"phase", "Succeeded"}}}}));
  store_->run();
  EXPECT_EQ(failures_, 0);
  EXPECT_THAT(claims(), IsEmpty());
  EXPECT_FALSE(store_->get(next)) << "the first one's end is not on disk";
  store_->executor().run_until([] { return false; }, 1000);
  EXPECT_EQ(phase(), "Succeeded");
  EXPECT_TRUE(store_->get(next));
}

TEST_F(WorkflowClaims, AnotherOnesIsNotTaken) {
  ASSERT_TRUE(store_->create(cluster::kPersistentVolumeClaims,
                             doc::Object{{"apiVersion", "v1"},
                                         {"kind", "PersistentVolumeClaim"},
                                         {"metadata", doc::Object{{"name", "w-data"}, {"namespace", "argo"}}}}));
  submit("");
  EXPECT_EQ(phase(), "Error");
  EXPECT_EQ(doc::find_string(workflow(), "status", "message"),
            "pvc create error: w-data pvc already exists with different ownerreference");
  EXPECT_EQ(claims().size(), 1U);
}

}  // namespace
}  // namespace tiphys::controllers
