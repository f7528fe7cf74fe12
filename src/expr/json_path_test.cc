#include "expr/json_path.h"

#include <gtest/gtest.h>

#include "expr/go_json.h"

namespace tiphys::expr {
namespace {

const doc::Value& store() {
  static const doc::Value value = *parse_go_json(R"({
    "list": [0, 1, 2, 3], "yes": true, "name": "it", "null": null,
    "books": [{"t": "A", "p": 5, "ok": true}, {"t": "B", "p": 12}, {"t": "C", "p": 9, "ok": false}]})");
  return value;
}

/// The result as JSON, or "error".
std::string query(std::string_view path) {
  const auto found = query_json_path(path, store());
  return found ? doc::to_json(*found) : "error";
}

TEST(ArgoJsonPath, FindsWhatTheOriginalFinds) {
  struct Case {
    const char* rule;
    const char* path;
    const char* result;
  };
  for (const auto& [rule, path, result] : {
           Case{"a key", "$.name", R"("it")"},
           Case{"a null", "$.null", "null"},
           Case{"a script", "$.list[(@.length-1)]", "3"},
           Case{"a script that gives a key", "$[(name)]", R"("it")"},
           Case{"scripts in a range", "$.list[(1):(@.length-1)]", "[1,2]"},
           Case{"scripts in a union", "$.list[0,(1+1)]", "[0,2]"},
           Case{"a negative step goes back through the same elements", "$.list[1:3:-1]", "[2,1]"},
           Case{"from the end on there is nothing then", "$.list[3:1:-1]", "[]"},
           Case{"the root again", "$.list.$.name", R"("it")"},
           Case{"more dots", "$...p", "[5,12,9]"},
           Case{"a filter", "$.books[?(@.p<10)].t", R"(["A","C"])"},
           Case{"an index behind a filter picks", "$.books[?(@.p<10)][1].t", R"("C")"},
           Case{"and both sides are booleans", "$.books[?(@.p<10 && @.ok)].t", R"(["A"])"},
           Case{"else the element is left out", "$.books[?(@.p<10 && @.t)].t", "[]"},
           Case{"not", "$.books[?(!@.ok)].t", R"(["C"])"},
           Case{"a word is no string of the document", "$.books[?(@.t == A)].t", "[]"},
           Case{"but one in quotes is", "$.books[?(@.t == \"A\")].t", R"(["A"])"},
           Case{"a regular expression has no slashes", "$.books[?(@.t =~ '[AB]')].t", R"(["A","B"])"},
           Case{"numbers in a list", "$.books[?(@.p in [5,9])].t", R"(["A","C"])"},
           Case{"strings in a list are never equal", "$.books[?(@.t in [\"A\"])].t", "[]"},
           Case{"an object", "$[?(@ == {})]", "[]"},
           Case{"parentheses around all", "$.books[?((@.p+1)*2 == 12)].t", R"(["A"])"},
           Case{"no key", "$.nope", "error"},
           Case{"no place", "$.list[9]", "error"},
           Case{"no path", "name", "error"},
           Case{"an open bracket", "$.list[", "error"},
           Case{"no script", "$.list[()]", "error"},
           Case{"a division by zero", "$.books[?(@.p % 0 == 1)]", "error"},
       }) {
    EXPECT_EQ(query(path), result) << rule;
  }
}

TEST(ArgoJsonPath, EndsWithAnErrorWhenThereIsTooMuch) {
  std::string operators;
  std::string brackets;
  std::string descents;
  for (int i = 0; i < 2000; ++i) operators += "!-1<@";
  for (int i = 0; i < 2000; ++i) brackets += "[?(@";
  for (int i = 0; i < 2000; ++i) descents += "..*";
  EXPECT_EQ(query("$[?(" + operators + ")]"), "error");
  EXPECT_EQ(query("$" + brackets), "error");
  EXPECT_EQ(query("$" + descents), "error");
  EXPECT_EQ(query("$[?(1" + std::string(8000, '+') + "1)]"), "error");
  EXPECT_EQ(query("$." + std::string(20'000, 'a')), "error");
  doc::Value deep = 1;
  for (int i = 0; i < 300; ++i) deep = doc::Array{deep};
  EXPECT_FALSE(query_json_path("$..", deep));
}

}  // namespace
}  // namespace tiphys::expr
