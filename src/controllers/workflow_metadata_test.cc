#include "controllers/workflow_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/parse.h"
#include "doc/yaml.h"

namespace tiphys::controllers {
namespace {

Result<WorkflowMetadata> metadata_of(const std::string& written) {
  const auto documents = doc::parse_yaml(
      "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: w, labels: {old: kept}}, spec: {entrypoint: "
      "m, arguments: {parameters: [{name: p, value: v}]}, workflowMetadata: " +
          written + "}}",
      "f.yaml");
  EXPECT_TRUE(documents) << written;
  std::vector<api::Finding> findings;
  const api::Workflow workflow = api::parse_workflow(documents->front().root, findings);
  EXPECT_THAT(findings, testing::IsEmpty()) << findings.front().message;
  SeededRandom random(1);
  return workflow_metadata(workflow, expr::Ambient{Time{}, &random});
}

TEST(WorkflowMetadata, IsSubstitutedAndEvaluated) {
  const auto metadata = metadata_of(
      "{labels: {a: plain, b: 'x-{{workflow.parameters.p}}'}, annotations: {c: 'of {{workflow.name}}'}, labelsFrom: "
      "{d: "
      "{expression: \"workflow.parameters.p + workflow.labels.a\"}, a: {expression: \"'other'\"}}}");
  ASSERT_TRUE(metadata) << metadata.error().message;
  EXPECT_EQ(metadata->labels, (std::map<std::string, std::string>{{"a", "other"}, {"b", "x-v"}, {"d", "vplain"}}));
  EXPECT_EQ(metadata->annotations, (std::map<std::string, std::string>{{"c", "of w"}}));
}

TEST(WorkflowMetadata, TellsWhatIsWrong) {
  struct Case {
    const char* written;
    const char* error;
  };
  for (const auto& [written, error] : {
           Case{"{labels: {a: '-'}}", "invalid label value \"-\" for label \"a\": a valid label must"},
           Case{"{labelsFrom: {a: {expression: '1 + 1'}}}",
                "failed to evaluate label \"a\" expression \"1 + 1\" evaluted to int but must be a string"},
           Case{"{labelsFrom: {a: {expression: \"'a b'\"}}}",
                "invalid label value \"a b\" for label \"a\" and expression"},
       }) {
    const auto metadata = metadata_of(written);
    ASSERT_FALSE(metadata) << written;
    EXPECT_THAT(metadata.error().message, testing::HasSubstr(error));
  }
}

}  // namespace
}  // namespace tiphys::controllers
