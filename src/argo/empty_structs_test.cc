#include "argo/empty_structs.h"

#include <gtest/gtest.h>

namespace tiphys::argo {
namespace {

struct Row {
  const char *rule, *before, *after;
};

constexpr Row kWorkflows[] = {
    {"all is there", R"({"kind":"Workflow","spec":{"arguments":{"parameters":[]}},"status":{"phase":"Running"}})",
     R"({"kind":"Workflow","spec":{"arguments":{"parameters":[]}},"status":{"phase":"Running"}})"},
    {"no status", R"({"kind":"Workflow","spec":{"arguments":{}}})",
     R"({"kind":"Workflow","spec":{"arguments":{}},"status":{}})"},
    {"arguments of a template are not those of the spec",
     R"({"kind":"Workflow","spec":{"templates":[{"arguments":{}}]},"status":{}})",
     R"({"kind":"Workflow","spec":{"arguments":{},"templates":[{"arguments":{}}]},"status":{}})"},
    {"an empty spec", R"({"kind":"Workflow","spec":{}})", R"({"kind":"Workflow","spec":{"arguments":{}},"status":{}})"},
    {"a status before the spec", R"({"kind":"Workflow","status":{"spec":{"arguments":1}},"spec":{"a":"\\\"}{"}})",
     R"({"kind":"Workflow","status":{"spec":{"arguments":1}},"spec":{"arguments":{},"a":"\\\"}{"}})"},
    {"a spec that is none", R"({"kind":"Workflow","spec":1,"status":2})", R"({"kind":"Workflow","spec":1,"status":2})"},
};

TEST(EmptyStructs, OfWorkflows) {
  for (const Row& row : kWorkflows) {
    const auto object = std::make_shared<const doc::Value>(*doc::parse_json(row.before));
    const cluster::Object filled = with_empty_structs(object);
    EXPECT_EQ(*filled, *doc::parse_json(row.after)) << row.rule;
    EXPECT_EQ(filled == object, std::string_view(row.before) == row.after) << row.rule << ": nothing is copied in vain";
    const auto text = workflow_with_empty_structs(row.before);
    EXPECT_EQ(text.value_or(row.before), row.after) << row.rule;
    EXPECT_EQ(text.has_value(), std::string_view(row.before) != row.after) << row.rule;
  }
  for (const char* text : {"", "1", "[]", "{", "{\"a", "{\"a\":"}) EXPECT_FALSE(workflow_with_empty_structs(text));
}

TEST(EmptyStructs, OfOtherKinds) {
  for (const auto& [rule, before, after] : {
           Row{"WorkflowTemplate", R"({"kind":"WorkflowTemplate","spec":{}})",
               R"({"kind":"WorkflowTemplate","spec":{"arguments":{}}})"},
           Row{"ClusterWorkflowTemplate", R"({"kind":"ClusterWorkflowTemplate","spec":{}})",
               R"({"kind":"ClusterWorkflowTemplate","spec":{"arguments":{}}})"},
           Row{"CronWorkflow", R"({"kind":"CronWorkflow","spec":{"workflowSpec":{}}})",
               R"({"kind":"CronWorkflow","spec":{"workflowSpec":{"arguments":{}}},"status":{}})"},
           Row{"Sensor", R"({"kind":"Sensor","spec":{}})", R"({"kind":"Sensor","spec":{},"status":{}})"},
           Row{"EventSource", R"({"kind":"EventSource"})", R"({"kind":"EventSource","status":{}})"},
           Row{"others", R"({"kind":"SyncLimit","spec":{}})", R"({"kind":"SyncLimit","spec":{}})"},
       }) {
    const auto object = std::make_shared<const doc::Value>(*doc::parse_json(before));
    EXPECT_EQ(doc::to_json(*with_empty_structs(object)), after) << rule;
  }
}

}  // namespace
}  // namespace tiphys::argo
