#include "argo/field_filter.h"

#include <gtest/gtest.h>

namespace tiphys::argo {
namespace {

TEST(FieldFilter, KeepsWhatIsWanted) {
  struct Case {
    const char *fields, *before, *after;
  };
  for (const auto& [fields, before, after] : {
           Case{"", R"({"a":{"b":1}})", R"({"a":{"b":1}})"},
           Case{"a.b", R"({"a":{"b":1,"c":2},"d":3})", R"({"a":{"b":1}})"},
           Case{"a", R"({"a":{"b":{"c":1}},"d":3})", R"({"a":{"b":{"c":1}}})"},
           Case{"-a.b", R"({"a":{"b":1,"c":2},"d":3})", R"({"a":{"c":2},"d":3})"},
           Case{"-status.nodes", R"({"status":{"nodes":{"x":{}},"phase":"p"}})", R"({"status":{"phase":"p"}})"},
           Case{"metadata,items.metadata.name",
                R"({"metadata":{},"items":[{"metadata":{"name":"a","uid":"u"},"spec":1}]})",
                R"({"metadata":{},"items":[{"metadata":{"name":"a"}}]})"},
           Case{"-items.spec", R"({"items":[{"spec":1,"status":2},{"spec":3}]})", R"({"items":[{"status":2},{}]})"},
           Case{"b", R"({"a":1})", "{}"},
       }) {
    auto document = doc::parse_json(before);
    ASSERT_TRUE(document);
    FieldFilter(fields).apply(*document);
    EXPECT_EQ(doc::to_json(*document), after) << fields;
  }
}

TEST(FieldFilter, SaysWhatNeedNotBeRead) {
  EXPECT_FALSE(FieldFilter("").leaves_out("status.nodes"));
  EXPECT_TRUE(FieldFilter("metadata").leaves_out("status.nodes"));
  EXPECT_FALSE(FieldFilter("status").leaves_out("status.nodes"));
  EXPECT_FALSE(FieldFilter("foo.bar.baz").leaves_out("foo.bar"));
  EXPECT_TRUE(FieldFilter("-status").leaves_out("status.nodes"));
  EXPECT_FALSE(FieldFilter("-metadata").leaves_out("status.nodes"));
  EXPECT_TRUE(FieldFilter("result.object.metadata", "result.object.").leaves_out("status"));
  EXPECT_FALSE(FieldFilter("result.object.status", "result.object.").leaves_out("status"));
}

}  // namespace
}  // namespace tiphys::argo
