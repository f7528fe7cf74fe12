#include "doc/json_text.h"

#include <gtest/gtest.h>

namespace tiphys::doc {
namespace {

TEST(JsonText, CompactsOutsideOfTexts) {
  EXPECT_EQ(compact_json(" { \"a b\" : [ 1.50 ,\t\"\\\" , \" ] }\n"), "{\"a b\":[1.50,\"\\\" , \"]}");
}

TEST(JsonText, FindsFractionsAtAnyDepth) {
  const struct {
    std::string_view json;
    bool found;
  } rows[] = {{"[1, 2]", false},        {"[1.0]", true},   {"[{\"a\": [1e-05]}]", true}, {"[2E3]", true},
              {"[\"1.0 2e3\"]", false}, {"[true]", false}, {"[\"a\", -3]", false}};
  for (const auto& row : rows) EXPECT_EQ(has_written_fractions(row.json), row.found) << row.json;
}

TEST(JsonText, GivesThePartsAsTheyAreWritten) {
  using Parts = std::vector<std::string_view>;
  const struct {
    std::string_view json;
    Parts parts;
  } rows[] = {{"[]", {}},
              {" [ 1.50 , \"a,]\" ] ", {"1.50", "\"a,]\""}},
              {"[[1, 2], {\"a\": 1}]", {"[1, 2]", "{\"a\": 1}"}},
              {"{\"a\": 1.0, \"b:\": {\"c\": []}}", {"\"a\"", "1.0", "\"b:\"", "{\"c\": []}"}},
              {"\"text\"", {}}};
  for (const auto& row : rows) EXPECT_EQ(json_parts(row.json), row.parts) << row.json;
}

TEST(JsonText, FindsWhereAValueEnds) {
  const struct {
    std::string_view json, value;
  } rows[] = {{"1.5,", "1.5"},
              {"true}", "true"},
              {"\"a,\":1", "\"a,\""},
              {R"("a\"}",1)", R"("a\"}")"},
              {R"("a\\",1)", R"("a\\")"},
              {R"({"a":[1,{"b":"]}"}]},2)", R"({"a":[1,{"b":"]}"}]})"},
              {"[[],{}]]", "[[],{}]"},
              {"[1", "[1"},
              {R"("a\)", R"("a\)"}};
  for (const auto& row : rows) EXPECT_EQ(row.json.substr(0, end_of_value(row.json, 0)), row.value) << row.json;
  EXPECT_EQ(end_of_value("{\"a\":1}", 5), 6u);
}

}  // namespace
}  // namespace tiphys::doc
