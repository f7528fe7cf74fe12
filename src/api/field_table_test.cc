// The tables of fields and what is made of them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "api/explain.h"
#include "api/fields_page.h"
#include "api/json_schema.h"
#include "api/kinds.h"

namespace tiphys::api {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

fs::path root() {
  return TIPHYS_SOURCE_DIR;
}

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Of all tests here: "Suite.Name" and "test_name".
std::set<std::string> tests() {
  static const std::regex kTest(R"(TEST(?:_[FP])?\((\w+), (\w+)\)|def (test_\w+)\()");
  std::set<std::string> found;
  for (const char* folder : {"src", "tests/e2e"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root() / folder)) {
      const std::string name = entry.path().filename();
      if (!name.ends_with("_test.cc") && !(name.starts_with("test_") && name.ends_with(".py"))) continue;
      const std::string text = contents(entry.path());
      for (std::sregex_iterator at(text.begin(), text.end(), kTest), end; at != end; ++at) {
        found.insert((*at)[3].matched ? (*at)[3].str() : (*at)[1].str() + "." + (*at)[2].str());
      }
    }
  }
  return found;
}

TEST(FieldTables, SayWhatEachFieldIs) {
  const std::set<std::string> known = tests();
  ASSERT_GT(known.size(), 100U);
  std::set<std::string_view> names;
  for (const FieldTable* table : all_tables()) {
    EXPECT_TRUE(names.insert(table->name()).second) << table->name() << " is the name of two tables";
    std::set<std::string_view> fields;
    for (std::size_t i = 0; i < table->size(); ++i) {
      const FieldInfo field = (*table)[i];
      const std::string where = fmt::format("{}.{}", table->name(), field.name);
      EXPECT_TRUE(fields.insert(field.name).second) << where << " is there twice";
      EXPECT_FALSE(field.about.empty()) << where << " is not described";
      EXPECT_LE(field.about.size(), 160U) << where << " is described at length";
      EXPECT_TRUE(field.proof.empty() || known.contains(std::string(field.proof)))
          << where << ": there is no test " << field.proof;
    }
  }
}

TEST(FieldsPage, IsUpToDate) {
  const fs::path page = root() / "docs" / "fields.md";
  if (std::getenv("TIPHYS_UPDATE_GOLDEN")) std::ofstream(page, std::ios::binary) << fields_page();
  EXPECT_EQ(fields_page(), contents(page)) << "TIPHYS_UPDATE_GOLDEN=1 writes docs/fields.md anew";
}

TEST(Explain, TellsOfAField) {
  EXPECT_EQ(explain("workflow.spec.templates.retryStrategy.backoff.factor", false).value(),
            "KIND:     Workflow\n"
            "VERSION:  argoproj.io/v1alpha1\n"
            "\n"
            "FIELD:    factor <integer or string>\n"
            "PLANE:    embedded\n"
            "\n"
            "DESCRIPTION:\n"
            "    Each wait is so many times the one before.\n");
}

struct ExplainCase {
  const char* rule;
  const char* path;
  const char* says;
};

TEST(Explain, FindsThePath) {
  for (const ExplainCase& row : {
           ExplainCase{"a kind", "workflow", "KIND:     Workflow\n"},
           ExplainCase{"by its short name", "wf", "FIELDS:\n  apiVersion\t<string>\n"},
           ExplainCase{"by its plural", "clusterworkflowtemplates", "KIND:     ClusterWorkflowTemplate\n"},
           ExplainCase{"in any case", "WorkflowTemplate.spec", "FIELD:    spec <WorkflowSpec>\n"},
           ExplainCase{"a list by itself", "wf.spec.templates", "FIELD:    templates <list of Template>\n"},
           ExplainCase{"a list with a place", "wf.spec.templates[0].name", "FIELD:    name <string>\n"},
           ExplainCase{"a map by itself", "wf.spec.hooks.template", "FIELD:    template <string>\n"},
           ExplainCase{"a map with a name", "wf.spec.hooks.exit.template", "FIELD:    template <string>\n"},
           ExplainCase{"lists of lists", "wf.spec.templates.steps.when", "FIELD:    when <string>\n"},
           ExplainCase{"what a field may say", "wf.spec.templates.retryStrategy.retryPolicy",
                       "ENUM:\n    Always\n    OnFailure\n"},
           ExplainCase{"what only a cluster honours", "wf.spec.nodeSelector", "PLANE:    only a cluster\n"},
           ExplainCase{"in a list of fields too", "wf.spec", "  nodeSelector\t<map of string>  (only a cluster)\n"},
           ExplainCase{"Kubernetes' objects", "wf.spec.affinity",
                       "FIELD:    affinity <Kubernetes: Affinity>\nPLANE:    only a cluster\n"},
           ExplainCase{"where they are told", "wf.spec.affinity", "#affinity-v1-core\n"},
           ExplainCase{"what differs", "wf.spec.serviceAccountName", "Differs from Argo: By `tiphys run` nobody asks"},
           ExplainCase{"a template in a template", "wf.spec.templates.dag.tasks.inline.container.image",
                       "FIELD:    image <string>\n"},
       }) {
    const auto said = explain(row.path, false);
    ASSERT_TRUE(said) << row.rule << ": " << said.error().message;
    EXPECT_THAT(*said, HasSubstr(row.says)) << row.rule;
  }
}

TEST(Explain, SaysWhatIsNotThere) {
  for (const ExplainCase& row : {
           ExplainCase{"a kind", "workflo", "there is no kind \"workflo\"; did you mean \"workflow\"?"},
           ExplainCase{"a field", "wf.spec.templates.retryStrateg",
                       "there is no field wf.spec.templates.retryStrateg; did you mean \"retryStrategy\"?"},
           ExplainCase{"below a text", "wf.spec.entrypoint.x", "wf.spec.entrypoint is string"},
           ExplainCase{"below Kubernetes' objects", "wf.spec.affinity.nodeAffinity",
                       "wf.spec.affinity is Kubernetes: Affinity: its fields are not told here; see https://"},
           ExplainCase{"nothing", "", "there is no kind \"\""},
       }) {
    const auto said = explain(row.path, false);
    ASSERT_FALSE(said) << row.rule;
    EXPECT_THAT(said.error().message, HasSubstr(row.says)) << row.rule;
  }
}

TEST(Explain, ListsAllBelow) {
  const std::string said = explain("wf.spec.templates", true).value();
  EXPECT_THAT(said, HasSubstr("\n  retryStrategy\t<RetryStrategy>\n    limit\t<integer or string>\n"));
  EXPECT_THAT(said, HasSubstr("\n    backoff\t<Backoff>\n      duration\t<string>\n"));
  // A template in a template is not told again.
  EXPECT_THAT(said, HasSubstr("\n    inline\t<Template>\n    arguments\t<Inputs>\n"));
}

TEST(JsonSchema, RefersToWhatItDefines) {
  const doc::Value schema = json_schema();
  const doc::Object& definitions = doc::find(schema, "definitions")->get_object();
  EXPECT_EQ(definitions.size(), all_tables().size());
  static const std::regex kReference(R"re("\$ref":"#/definitions/(\w+)")re");
  const std::string text = doc::to_json(schema);
  for (std::sregex_iterator at(text.begin(), text.end(), kReference), end; at != end; ++at) {
    EXPECT_TRUE(definitions.contains((*at)[1].str())) << (*at)[1];
  }
}

}  // namespace
}  // namespace tiphys::api
