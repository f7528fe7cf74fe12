// Argo's services over a Cluster whose controller is the original's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "argo/testing.h"
#include "controllers/names.h"

namespace tiphys::argo {
namespace {

using testing::HasSubstr;

class ClusterServicesTest : public testing::Test {
 protected:
  ClusterServicesTest() {
    store_.create(
        cluster::kWorkflows,
        objects::parse_one("{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: a, namespace: "
                           "default}, spec: {entrypoint: m, templates: [{name: m, suspend: {}}]}}"));
    const char* const node =
        R"({"id":"n","name":"a.n","displayName":"n","type":"Suspend","phase":"Running","outputs":{"parameters":[)"
        R"({"name":"o","valueFrom":{"supplied":{},"default":"d"}}]}})";
    EXPECT_TRUE(store_.update_workflow_status(kKey, {.nodes = {{"n", node}}, .fields = {{"phase", "Running"}}}));
    store_.run();
  }
  std::shared_ptr<RecordedAnswer> call(const char* method, std::string_view request) {
    const Method named{.service = "workflow.WorkflowService", .name = method};
    const auto answer = std::make_shared<RecordedAnswer>();
    doc::Value parsed = objects::parse_one(request);
    services_->call({named, std::move(parsed.as_object()), nullptr, answer});
    while (answer->waits() && store_.executor().step()) {
    }
    return answer;
  }
  doc::Value node() { return *doc::find(**store_.get(kKey), "status", "nodes", "n"); }

  inline static const cluster::Key kKey{&cluster::kWorkflows, "default", "a"};
  store::TestStore store_;
  SystemRandom random_;
  std::unique_ptr<Services> services_ =
      make_services({.executor = store_.executor(), .cluster = &store_.store(), .random = random_});
};

TEST_F(ClusterServicesTest, nodes_are_set_where_no_controller_takes_the_request) {
  const auto set =
      call("SetWorkflow",
           "{namespace: default, name: a, nodeFieldSelector: 'displayName=n', message: hi, phase: Succeeded, "
           "outputParameters: '{\"o\": \"v\"}'}");
  ASSERT_FALSE(set->error) << set->error->message;
  EXPECT_EQ(doc::find_string(node(), "phase"), "Succeeded");
  EXPECT_EQ(doc::find_string(node(), "message"), "hi");
  EXPECT_FALSE(doc::find_string(node(), "finishedAt").empty());
  const doc::Value parameter = doc::find(node(), "outputs", "parameters")->at(0);
  EXPECT_EQ(doc::find_string(parameter, "value"), "v");
  EXPECT_EQ(doc::find(parameter, "valueFrom"), nullptr);
  EXPECT_EQ(doc::find_string(**store_.get(kKey), "metadata", "annotations", controllers::kNodeRequestsAnnotation), "");
}

TEST_F(ClusterServicesTest, who_is_resumed_has_defaults) {
  const auto resumed = call("ResumeWorkflow", "{namespace: default, name: a}");
  ASSERT_FALSE(resumed->error) << resumed->error->message;
  EXPECT_EQ(doc::find_string(node(), "phase"), "Succeeded");
  EXPECT_EQ(doc::find_string(doc::find(node(), "outputs", "parameters")->at(0), "value"), "d");
}

TEST_F(ClusterServicesTest, what_a_node_does_not_expect) {
  const auto set = call("SetWorkflow",
                        "{namespace: default, name: a, nodeFieldSelector: 'displayName=n', outputParameters: "
                        "'{\"other\": \"v\"}'}");
  ASSERT_TRUE(set->error);
  EXPECT_EQ(set->error->message, "node is not expecting output parameter 'other'");
  EXPECT_EQ(doc::find_string(node(), "phase"), "Running");
}

TEST_F(ClusterServicesTest, what_needs_a_server) {
  const Method archive{.service = "workflowarchive.ArchivedWorkflowService", .name = "ListArchivedWorkflows"};
  const auto answer = std::make_shared<RecordedAnswer>();
  services_->call({archive, {}, nullptr, answer});
  ASSERT_TRUE(answer->error);
  EXPECT_EQ(answer->error->code, Code::kUnimplemented);
  EXPECT_THAT(answer->error->message, HasSubstr("needs a server of Argo's API"));
}

}  // namespace
}  // namespace tiphys::argo
