#include "controllers/estimates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/testing.h"

namespace tiphys::controllers {
namespace {

using std::chrono::seconds;
using testing::Contains;

TEST(Estimates, AreThoseOfTheBaselineByName) {
  const Estimates estimates("new", yaml(R"(
metadata: {name: old}
status:
  startedAt: "2026-01-01T00:00:00Z"
  finishedAt: "2026-01-01T00:01:30Z"
  nodes:
    old: {startedAt: "2026-01-01T00:00:00Z", finishedAt: "2026-01-01T00:01:20Z"}
    old-1671372690: {startedAt: "2026-01-01T00:00:00Z", finishedAt: null}
)"));
  EXPECT_EQ(estimates.of_workflow(), 90);
  EXPECT_EQ(estimates.of_node("new", "new"), 80);
  EXPECT_EQ(estimates.of_node("n", "new.a"), 0);
  EXPECT_EQ(doc::to_json(estimates.status_fields()), R"({"estimatedDuration":90,"estimatedFrom":"old"})");
}

TEST(Estimates, NothingIsKnownWithoutABaselineButWhatIsKept) {
  Estimates none;
  EXPECT_EQ(none.of_workflow(), 0);
  EXPECT_EQ(none.of_node("new", "new"), 0);
  EXPECT_TRUE(none.status_fields().empty());
  api::NodeStatus begun;
  begun.id = "n";
  begun.estimated_seconds = 7;
  none.keep({begun});
  EXPECT_EQ(none.of_node("n", "new"), 7);
}

TEST(Estimates, TheFirstLabelSaysWhereAWorkflowComesFrom) {
  const std::string of_template(kWorkflowTemplateLabel), of_cron("workflows.argoproj.io/cron-workflow");
  EXPECT_FALSE(origin_of({{"a", "b"}}));
  EXPECT_EQ(origin_of({{of_cron, "c"}, {of_template, "t"}})->second, "t");
  EXPECT_EQ(origin_of({{of_cron, "c"}})->second, "c");
}

class EstimatesTest : public ControllersTest {
 protected:
  void run(std::string_view name, std::string_view arguments = "") {
    create(cluster::kWorkflows,
           fmt::format("{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: {}, namespace: argo}}, "
                       "spec: {{workflowTemplateRef: {{name: t}}{}}}}}",
                       name, arguments));
  }
  /// Of the workflow, then of its nodes by name.
  std::string estimates(const std::string& name) {
    const doc::Value workflow = get(name);
    const auto text = [](const doc::Value* of) { return of ? doc::to_json(*of) : "-"; };
    std::map<std::string, std::string> nodes;
    for (const auto& [id, node] : doc::find(workflow, "status", "nodes")->as_object()) {
      nodes[std::string(doc::find_string(node, "name"))] = text(doc::find(node, "estimatedDuration"));
    }
    std::string all = text(doc::find(workflow, "status", "estimatedDuration"));
    for (const auto& [node, seconds] : nodes) all += fmt::format(" {}={}", node, seconds);
    return all;
  }
};

TEST_F(EstimatesTest, AreOfTheNewestThatSucceededOverRestartsToo) {
  start("");
  create(cluster::kWorkflowTemplates,
         "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: t, namespace: argo}, spec: "
         "{entrypoint: main, arguments: {parameters: [{name: d, value: '5'}]}, templates: [{name: main, steps: "
         "[[{name: a, template: wait}], [{name: b, template: wait}]]}, {name: wait, suspend: {duration: "
         "'{{workflow.parameters.d}}'}}]}}");
  run("first");
  EXPECT_EQ(estimates("first"), "- first=- first[0]=- first[0].a=-") << "nothing is known";
  pass(seconds(30));
  run("stopped", ", arguments: {parameters: [{name: d, value: '1'}]}");
  end("stopped");
  run("second", ", arguments: {parameters: [{name: d, value: '8'}]}");
  EXPECT_EQ(estimates("second"), "10 second=10 second[0]=5 second[0].a=5");
  pass(seconds(30));
  ASSERT_EQ(in_phase("Succeeded").size(), 2U);
  run("third");
  EXPECT_EQ(estimates("third"), "16 third=16 third[0]=8 third[0].a=8");
  run("other", ", arguments: {parameters: [{name: d, value: '1'}]}");
  pass(seconds(3));
  ASSERT_THAT(in_phase("Succeeded"), Contains("other"));
  start("");
  pass(seconds(3));
  EXPECT_EQ(estimates("third"), "16 third=16 third[0]=8 third[0].a=8 third[1]=8 third[1].b=8")
      << "the baseline is settled as a workflow begins";
  remove("second");
  start("");
  EXPECT_EQ(estimates("third"), "16 third=16 third[0]=8 third[0].a=8 third[1]=8 third[1].b=8")
      << "what was expected of a node stays";
}

}  // namespace
}  // namespace tiphys::controllers
