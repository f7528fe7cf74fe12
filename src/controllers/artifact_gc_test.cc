#include "controllers/artifact_gc.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "doc/yaml.h"

namespace tiphys::controllers {
namespace {

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << documents.error().message;
  return std::move(documents->front().root);
}

/// One that has ended, with a pod whose artifacts are `artifacts`, and a group that passes one of them on.
doc::Value ended(std::string_view gc, std::string_view artifacts, bool deleting = false, std::string_view status = "") {
  return yaml(fmt::format(R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: wf
  namespace: argo
  uid: u
  labels: {{workflows.argoproj.io/completed: "true"}}
  finalizers: [workflows.argoproj.io/artifact-gc]
  {}
spec:
  entrypoint: main
  artifactGC: {}
  templates:
  - {{name: main, archiveLocation: {{s3: {{endpoint: own, bucket: b, key: k}}}}, container: {{image: x, command: [a]}}}}
status:
  phase: Succeeded
  artifactRepositoryRef: {{artifactRepository: {{s3: {{endpoint: e, bucket: b}}}}}}
  {}
  nodes:
    wf: {{id: wf, name: wf, type: Pod, phase: Succeeded, templateName: main, templateScope: local/wf, outputs: {{artifacts: {}}}}}
    wf-1: {{id: wf-1, name: wf.a, type: Steps, phase: Succeeded, outputs: {{artifacts: [{{name: up, s3: {{key: up}}}}]}}}}
)",
                          deleting ? "deletionTimestamp: 2026-01-01T00:00:00Z" : "", gc, status, artifacts));
}

std::string planned(const doc::Value& workflow) {
  const auto plan = plan_artifact_gc(workflow);
  if (!plan) return plan.error().message;
  std::string text;
  for (const auto& item : plan->items) text += fmt::format("{}[{}] {}; ", item.node_id, item.index, item.task);
  return text;
}

TEST(ArtifactGc, PlansWhatIsDue) {
  constexpr std::string_view kTwo =
      "[{name: a, s3: {key: a}}, {name: b, s3: {key: b}, artifactGC: {strategy: OnWorkflowDeletion}}]";
  constexpr std::string_view kAtEnd = "{strategy: OnWorkflowCompletion}";
  struct Row {
    const char* name;
    doc::Value workflow;
    const char* planned;
  };
  for (const Row& row : {
           Row{"at the end", ended(kAtEnd, kTwo), "wf[0] wf-artgc-wfcomp-2166136261; "},
           Row{"along with the workflow", ended(kAtEnd, kTwo, true),
               "wf[0] wf-artgc-wfcomp-2166136261; wf[1] wf-artgc-wfdel-2166136261; "},
           Row{"none of the workflow", ended("{}", kTwo), ""},
           Row{"none at all", ended("{strategy: Never}", "[{name: a, s3: {key: a}}]", true), ""},
           Row{"what is deleted already", ended(kAtEnd, "[{name: a, deleted: true, s3: {key: a}}]"), ""},
           Row{"once only",
               ended(kAtEnd, kTwo, false, "artifactGCStatus: {strategiesProcessed: {OnWorkflowCompletion: true}}"), ""},
           Row{"accounts have pods of their own",
               ended(kAtEnd, "[{name: a, s3: {key: a}, artifactGC: {serviceAccountName: a}}]"),
               "wf[0] wf-artgc-wfcomp-3826002220; "},
       }) {
    EXPECT_EQ(planned(row.workflow), row.planned) << row.name;
  }
}

TEST(ArtifactGc, KeysLieWhereTheTemplateKeepsThem) {
  const auto plan = plan_artifact_gc(ended("{strategy: OnWorkflowCompletion}", "[{name: a, s3: {key: a}}]"));
  ASSERT_TRUE(plan && plan->items.size() == 1);
  EXPECT_EQ(doc::to_json(plan->items[0].location), R"({"s3":{"endpoint":"own","bucket":"b","key":"a"}})");
}

TEST(ArtifactGc, ResultsAreWrittenAsTheOriginalDoes) {
  const doc::Value workflow =
      ended("{strategy: OnWorkflowCompletion}", "[{name: a, s3: {key: a}}, {name: b, s3: {key: b}}]", false,
            "conditions: [{type: Completed, status: 'True'}, {type: ArtifactGCError, status: 'True', message: old}]");
  ArtifactGcPlan plan = plan_artifact_gc(workflow).value();
  EXPECT_TRUE(artifact_gc_done(workflow, plan));
  plan.items[1].error = "no";
  EXPECT_FALSE(artifact_gc_done(workflow, plan));
  const cluster::WorkflowStatusUpdate update = artifact_gc_results(workflow, plan);
  EXPECT_EQ(doc::to_json(update.fields),
            R"x({"conditions":[{"type":"Completed","status":"True"},{"type":"ArtifactGCError","status":"True",)x"
            R"x("message":"no (artifactGCTask: wf-artgc-wfcomp-2166136261-0)"}],"artifactGCStatus":{"podsRecouped":)x"
            R"x({"wf-artgc-wfcomp-2166136261":true},"strategiesProcessed":{"OnWorkflowCompletion":true}}})x");
  ASSERT_EQ(update.nodes.size(), 1U);
  const doc::Value node = doc::parse_json(update.nodes[0].json).value();
  EXPECT_EQ(doc::to_json(node.at("outputs").at("artifacts")),
            R"([{"name":"a","s3":{"key":"a"},"deleted":true},{"name":"b","s3":{"key":"b"}}])");
}

TEST(ArtifactGc, IsDoneWhenNothingStaysOrItIsForced) {
  constexpr std::string_view kLater = "[{name: a, s3: {key: a}, artifactGC: {strategy: OnWorkflowDeletion}}]";
  EXPECT_FALSE(artifact_gc_done(ended("{}", kLater), {}));
  EXPECT_TRUE(artifact_gc_done(ended("{}", "[{name: a, s3: {key: a}}]"), {}));
  const doc::Value forced =
      ended("{strategy: OnWorkflowCompletion, forceFinalizerRemoval: true}", "[{name: a, s3: {key: a}}]");
  ArtifactGcPlan plan = plan_artifact_gc(forced).value();
  plan.items[0].error = "no";
  EXPECT_TRUE(artifact_gc_done(forced, plan));
}

TEST(ArtifactGc, IsAwaitedUntilItsTurnsAreOver) {
  EXPECT_TRUE(awaits_artifact_gc(ended("{strategy: OnWorkflowCompletion}", "[]")));
  constexpr std::string_view kDone = "artifactGCStatus: {strategiesProcessed: {OnWorkflowCompletion: true}}";
  EXPECT_FALSE(awaits_artifact_gc(ended("{}", "[]", false, kDone)));
  EXPECT_TRUE(awaits_artifact_gc(ended("{}", "[]", true, kDone)));
}

}  // namespace
}  // namespace tiphys::controllers
