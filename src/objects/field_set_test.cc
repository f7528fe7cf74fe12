#include "objects/field_set.h"

#include <gtest/gtest.h>

namespace tiphys::objects {
namespace {

FieldSet set_of(std::string_view json) {
  const auto parsed = doc::parse_json(json);
  EXPECT_TRUE(parsed) << json;
  auto set = FieldSet::parse(*parsed);
  EXPECT_TRUE(set) << json;
  return std::move(*set);
}

std::string text(const FieldSet& set) {
  return doc::to_json(set.to_json());
}

TEST(FieldSet, IsWrittenInCanonicalOrder) {
  struct Case {
    const char* rule;
    const char* read;
    const char* written;
  };
  const Case cases[] = {
      {"nothing", "{}", "{}"},
      {"fields by name", R"({"f:b":{},"f:a":{}})", R"({"f:a":{},"f:b":{}})"},
      {"a field with fields", R"({"f:a":{"f:b":{}}})", R"({"f:a":{"f:b":{}}})"},
      {"and one that is owned itself", R"({"f:a":{"f:b":{},".":{}}})", R"({"f:a":{".":{},"f:b":{}}})"},
      {"a dot alone is the field itself", R"({"f:a":{".":{}}})", R"({"f:a":{}})"},
      {"fields, keys, values, indices", R"({"i:0":{},"v:\"x\"":{},"k:{\"name\":\"a\"}":{},"f:z":{}})",
       R"({"f:z":{},"k:{\"name\":\"a\"}":{},"v:\"x\"":{},"i:0":{}})"},
      {"key fields by name", R"({"k:{\"protocol\":\"TCP\",\"port\":80}":{}})",
       R"({"k:{\"port\":80,\"protocol\":\"TCP\"}":{}})"},
      {"numbers before texts before booleans", R"({"v:true":{},"v:\"1\"":{},"v:10":{},"v:9.5":{}})",
       R"({"v:9.5":{},"v:10":{},"v:\"1\"":{},"v:true":{}})"},
      {"a shorter key first", R"({"k:{\"a\":1,\"b\":1}":{},"k:{\"a\":1}":{}})",
       R"({"k:{\"a\":1}":{},"k:{\"a\":1,\"b\":1}":{}})"},
      {"values are escaped for HTML", R"({"v:\"<a&b>\"":{}})", R"({"v:\"\\u003ca\\u0026b\\u003e\"":{}})"},
      {"one key in two spellings", R"({"k:{\"a\":1,\"b\":2}":{"f:x":{}},"k:{\"b\":2,\"a\":1}":{"f:y":{}}})",
       R"({"k:{\"a\":1,\"b\":2}":{"f:x":{},"f:y":{}}})"},
      {"an unknown kind is passed over", R"({"r:x":{"f:a":{}},"f:a":{}})", R"({"f:a":{}})"},
  };
  for (const Case& one : cases) EXPECT_EQ(text(set_of(one.read)), one.written) << one.rule;
}

TEST(FieldSet, RefusesWhatIsNoFieldsV1) {
  for (const char* bad : {"[]", "1", R"({"f:a":1})", R"({"f":{}})", R"({"fa":{}})", R"({"i:":{}})", R"({"i:1.5":{}})",
                          R"({"v:":{}})", R"({"v:x":{}})", R"({"k:[]":{}})", R"({"k:{\"a\":x}":{}})"}) {
    const auto set = FieldSet::parse(doc::parse_json(bad).value());
    ASSERT_FALSE(set) << bad;
    EXPECT_EQ(set.error().code, Code::kInvalidArgument);
  }
}

TEST(FieldSet, Algebra) {
  const FieldSet left = set_of(R"({"f:a":{".":{},"f:b":{},"f:c":{}},"f:d":{"f:e":{}},"f:l":{"v:1":{},"v:2":{}}})");
  const FieldSet right = set_of(R"({"f:a":{},"f:d":{"f:e":{},"f:f":{}},"f:l":{"v:2":{},"v:3":{}}})");
  EXPECT_EQ(text(left.plus(right)),
            R"({"f:a":{".":{},"f:b":{},"f:c":{}},"f:d":{"f:e":{},"f:f":{}},"f:l":{"v:1":{},"v:2":{},"v:3":{}}})");
  EXPECT_EQ(text(left.minus(right)), R"({"f:a":{"f:b":{},"f:c":{}},"f:l":{"v:1":{}}})");
  EXPECT_EQ(text(left.minus_below(right)), R"({"f:l":{"v:1":{}}})");
  EXPECT_EQ(text(left.common(right)), R"({"f:a":{},"f:d":{"f:e":{}},"f:l":{"v:2":{}}})");
  EXPECT_TRUE(left.minus(left).empty());
  EXPECT_EQ(left.plus(right).minus(right).plus(right), left.plus(right));
}

TEST(FieldSet, WholeNumbersAreTheSameInWhateverForm) {
  FieldSet whole;
  whole.insert(FieldPath{PathElement::key({{"port", 80}}), PathElement::field("a")});
  EXPECT_TRUE(set_of(R"({"k:{\"port\":80}":{"f:a":{}}})").minus(whole).empty());
}

TEST(FieldSet, PathsAreToldAsTheApiServerTellsThem) {
  const FieldSet set =
      set_of(R"({"f:spec":{"f:b":{"f:c":{}},"f:z":{},"f:list":{"k:{\"name\":\"x\\\"y\",\"port\":80}":{"f:image":{}},)"
             R"("v:\"f\"":{},"v:8080000":{},"i:3":{}}}})");
  std::string all;
  set.each([&](const FieldPath& path) { all += text_of(path) + "\n"; });
  EXPECT_EQ(all,
            ".spec.z\n.spec.b.c\n.spec.list[=8.08e+06]\n.spec.list[=\"f\"]\n.spec.list[3]\n"
            ".spec.list[name=\"x\\\"y\",port=80].image\n");
}

TEST(FieldSet, HasWhatIsNamed) {
  const FieldSet set{{"metadata", "name"}, {"status"}};
  const auto path = [](std::initializer_list<std::string_view> names) {
    FieldPath elements;
    for (const auto name : names) elements.push_back(PathElement::field(name));
    return elements;
  };
  EXPECT_TRUE(set.has(path({"metadata", "name"})));
  EXPECT_TRUE(set.has(path({"status"})));
  EXPECT_FALSE(set.has(path({"metadata"})));
  EXPECT_FALSE(set.has(path({"status", "phase"})));
  EXPECT_FALSE(set.has(path({})));
}

}  // namespace
}  // namespace tiphys::objects
