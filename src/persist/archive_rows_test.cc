#include "persist/archive_rows.h"

#include <gtest/gtest.h>

namespace tiphys::persist {
namespace {

TEST(ArchiveRows, TakeNoNullToPostgreSql) {
  struct Row {
    std::string text;    ///< a string of the workflow
    std::string stored;  ///< as JSON
  };
  const Row rows[] = {
      {"plain", R"("plain")"},         {std::string("a\0b", 3), R"("aARGO_POSTGRES_NULL_REPLACEMENTb")"},
      {"a\\u0000b", R"("a\\u0000b")"}, {std::string("\\\0", 2), R"("\\ARGO_POSTGRES_NULL_REPLACEMENT")"},
      {"\"\n", R"("\"\n")"},
  };
  for (const Row& row : rows) {
    const doc::Value workflow{{"metadata", {{"labels", doc::Object{}}}}, {"spec", row.text}};
    const std::string column = workflow_column(workflow, Dialect::kPostgreSql);
    EXPECT_EQ(column, R"({"metadata":{"labels":{}},"spec":)" + row.stored + "}");
    const auto read = workflow_of(column, Dialect::kPostgreSql);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(doc::find_string(*read, "spec"), row.text);
    EXPECT_EQ(workflow_column(workflow, Dialect::kMySql), doc::to_json(workflow));
  }
}

TEST(ArchiveRows, AreWorkflowsOfTheArchive) {
  const auto read = workflow_of(R"({"metadata":{"name":"a"}})", Dialect::kMySql);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(doc::to_json(*read),
            R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"a","labels":)"
            R"({"workflows.argoproj.io/workflow-archiving-status":"Persisted"}}})");
  EXPECT_EQ(workflow_of("[]", Dialect::kMySql).error().code, Code::kDataLoss);
  EXPECT_FALSE(workflow_of("{", Dialect::kMySql));
}

TEST(ArchiveRows, HaveTimesInAnyCase) {
  const RowFacts facts = facts_of(
      doc::Value{{"metadata", {{"uid", "u"}, {"creationTimestamp", "2026-01-01T00:00:00Z"}, {"labels", {{"a", "b"}}}}},
                 {"status", {{"phase", "Error"}}}});
  EXPECT_EQ(facts.started, facts.created);
  EXPECT_EQ(facts.finished, facts.created);
  EXPECT_EQ(sql_time(facts.created), "2026-01-01 00:00:00");
  EXPECT_EQ(facts.phase, "Error");
  ASSERT_EQ(facts.labels.size(), 1U);
  EXPECT_EQ(facts.labels[0].second, "b");
}

}  // namespace
}  // namespace tiphys::persist
