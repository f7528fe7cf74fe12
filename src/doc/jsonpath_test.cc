#include "doc/jsonpath.h"

#include <gtest/gtest.h>

namespace tiphys::doc {
namespace {

constexpr const char* kRoot = R"({
  "kind": "List", "n": 1.5, "yes": true, "null": null, "a.b": "dotted",
  "items": [
    {"metadata": {"name": "one", "labels": {"k": "v"}}, "age": 3, "ports": [80, 443]},
    {"metadata": {"name": "two"}, "age": 12, "ready": true}
  ]})";

TEST(JsonPath, EvaluatesAsKubectlDoes) {
  struct Case {
    const char* rule;
    const char* text;
    const char* out;
  };
  const Value root = *parse_json(kRoot);
  for (const auto& [rule, text, out] : {
           Case{"text outside of braces", "kind={.kind}!", "kind=List!"},
           Case{"root and current", "{$.kind} {@.kind} {.kind}", "List List List"},
           Case{"a field without a dot", "{kind}", nullptr},
           Case{"numbers, booleans, null", "{.n} {.yes} {.null}", "1.5 true null"},
           Case{"objects as JSON", "{.items[0].metadata.labels}", R"({"k":"v"})"},
           Case{"wildcard over a list", "{.items[*].metadata.name}", "one two"},
           Case{"wildcard over an object", "{.items[0].metadata.labels.*}", "v"},
           Case{"index", "{.items[1].metadata.name}", "two"},
           Case{"index from the end", "{.items[-1].metadata.name}", "two"},
           Case{"slice", "{.items[0].ports[0:1]} {.items[0].ports[1:]} {.items[0].ports[:-1]}", "80 443 80"},
           Case{"slice with a step", "{.items[0].ports[0:2:2]}", "80"},
           Case{"slice beyond the end", "{.items[0].ports[0:9]}", nullptr},
           Case{"quoted name", "{['kind']} {.items[0]['metadata']['name']}", "List one"},
           Case{"escaped dot", "{.a\\.b}", "dotted"},
           Case{"name with a dot in brackets", "{['a\\.b']}", "dotted"},
           Case{"a path in brackets", "{.items[0]['metadata.name']}", "one"},
           Case{"union of names", "{.items[0]['age','ports']}", "3 [80,443]"},
           Case{"union of indices", "{.items[0,1].age}", "3 12"},
           Case{"recursive descent", "{..name}", "one two"},
           Case{"some values lack the field", "{.items[*].ready}", "true"},
           Case{"filter by text", "{.items[?(@.metadata.name==\"two\")].age}", "12"},
           Case{"filter by number", "{.items[?(@.age>3)].metadata.name}", "two"},
           Case{"filter by less or equal", "{.items[?(@.age<=3)].metadata.name}", "one"},
           Case{"filter by boolean", "{.items[1:][?(@.ready==true)].metadata.name}", nullptr},
           Case{"filter by a number of another type", "{.items[?(@.age>3.0)].metadata.name}", nullptr},
           Case{"filter by what some have not", "{.items[?(@.ready==true)].age}", nullptr},
           Case{"filter by existence", "{.items[?(@.ports)].metadata.name}", "one"},
           Case{"filter by inequality", "{.items[?(@.metadata.name!='two')].metadata.name}", "one"},
           Case{"nothing passes", "{.items[?(@.age>99)].metadata.name}", ""},
           Case{"range", "{range .items[*]}{.metadata.name}={.age}{\"\\n\"}{end}", "one=3\ntwo=12\n"},
           Case{"nested range", "{range .items[*]}{.age}:{range .metadata.labels}{.k}{end};{end}", nullptr},
           Case{"the current value within a range", "{range .items[*]}{$.age}{'\\t'}{end}", "3\t12\t"},
           Case{"a range over a null", "{range .null}{@}{end}", "<no value>"},
           Case{"bytes of a text", "{.items[0].metadata.labels.k.*}", "118"},
           Case{"the last of several paths", "{.kind 'a' 'b'}", "b"},
           Case{"escapes", "{\"\\u00e9\\x41\\101\\\"'\"}", "\u00e9AA\"'"},
           Case{"the document", "{.items[0].metadata.labels}{\"\"}", R"({"k":"v"})"},
           Case{"missing field", "{.items[0].nope}", nullptr},
           Case{"index out of bounds", "{.items[7]}", nullptr},
           Case{"index of no list", "{.kind[0]}", nullptr},
           Case{"unclosed brace", "{.kind", nullptr},
           Case{"unclosed bracket", "{.items[0}", nullptr},
           Case{"unclosed quote", "{\"x}", nullptr},
           Case{"range without end", "{range .items[*]}x", "xxx"},
           Case{"end without range", "{end}", nullptr},
           Case{"no text", "", ""},
       }) {
    const auto result = eval_jsonpath(text, root);
    ASSERT_EQ(result.has_value(), out != nullptr) << rule << ": " << (result ? *result : result.error().message);
    if (out) {
      EXPECT_EQ(*result, out) << rule;
    }
  }
}

TEST(JsonPath, ErrorsNameWhatIsMissing) {
  const Value root = *parse_json(kRoot);
  EXPECT_EQ(eval_jsonpath("{.items[0].nope}", root).error().message, "nope is not found");
  EXPECT_EQ(eval_jsonpath("{.items[7]}", root).error().message, "array index out of bounds: index 7, length 2");
  EXPECT_EQ(eval_jsonpath("{.kind", root).error().message, "JSONPath \"{.kind\", column 7: unclosed action");
}

TEST(JsonPath, EndsWithAnErrorWhenThereIsTooMuch) {
  const Value root =
      *parse_json(R"({"a": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "text": ")" + std::string(1 << 20, 'x') + "\"}");
  std::string ranges;
  std::string texts;
  for (int i = 0; i < 500; ++i) {
    ranges += "{range .a[*]}";
    texts += "{.text}";
  }
  EXPECT_FALSE(eval_jsonpath(ranges, root, true));
  EXPECT_FALSE(eval_jsonpath(texts, root));
  EXPECT_FALSE(eval_jsonpath(std::string(9000, '{'), root));
  EXPECT_FALSE(eval_jsonpath("{.a" + std::string(4000, '['), root));
}

}  // namespace
}  // namespace tiphys::doc
