#include "doc/patch.h"

#include <gtest/gtest.h>

namespace tiphys::doc {
namespace {

struct Case {
  const char* rule;
  const char* target;
  const char* patch;
  const char* result;  ///< nullptr: an error, and the target as it was
};

TEST(JsonPatch, FollowsTheApiServer) {
  for (const auto& [rule, target, patch, result] : {
           Case{"add a member", R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})"},
           Case{"add replaces a member", R"({"a":1})", R"([{"op":"add","path":"/a","value":2}])", R"({"a":2})"},
           Case{"add inserts an element", R"([1,3])", R"([{"op":"add","path":"/1","value":2}])", R"([1,2,3])"},
           Case{"add at the end", R"([1])", R"([{"op":"add","path":"/-","value":2}])", R"([1,2])"},
           Case{"add behind the end", R"([1])", R"([{"op":"add","path":"/2","value":2}])", nullptr},
           Case{"add the document", R"([1])", R"([{"op":"add","path":"","value":{}}])", nullptr},
           Case{"replace the document", R"([1])", R"([{"op":"replace","path":"","value":{}}])", R"({})"},
           Case{"but not by a scalar", R"([1])", R"([{"op":"replace","path":"","value":1}])", nullptr},
           Case{"a negative index", R"([1,2])", R"([{"op":"remove","path":"/-1"}])", R"([1])"},
           Case{"add before a negative index", R"([1,2])", R"([{"op":"add","path":"/-2","value":3}])", R"([1,3,2])"},
           Case{"a negative index beyond the start", R"([1])", R"([{"op":"remove","path":"/-2"}])", nullptr},
           Case{"what stands before the slash", R"({"a":1})", R"([{"op":"remove","path":"b/a"}])", "{}"},
           Case{"add below nothing", R"({})", R"([{"op":"add","path":"/a/b","value":1}])", nullptr},
           Case{"escapes", R"({"a/b":{"~c":1}})", R"([{"op":"replace","path":"/a~1b/~0c","value":2}])",
                R"({"a/b":{"~c":2}})"},
           Case{"remove keeps the order", R"({"a":1,"b":2,"c":3})", R"([{"op":"remove","path":"/a"}])",
                R"({"b":2,"c":3})"},
           Case{"remove an element", R"([1,2,3])", R"([{"op":"remove","path":"/1"}])", R"([1,3])"},
           Case{"remove nothing", R"({})", R"([{"op":"remove","path":"/a"}])", nullptr},
           Case{"an index with a leading zero", R"([1,2])", R"([{"op":"remove","path":"/01"}])", R"([1])"},
           Case{"replace what is missing", R"({})", R"([{"op":"replace","path":"/a","value":1}])", R"({"a":1})"},
           Case{"replace behind the end", R"([])", R"([{"op":"replace","path":"/0","value":1}])", nullptr},
           Case{"copy what is missing", R"({})", R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"b":null})"},
           Case{"move what is missing", R"({})", R"([{"op":"move","from":"/a","path":"/b"}])", nullptr},
           Case{"move", R"({"a":{"x":1},"b":{}})", R"([{"op":"move","from":"/a/x","path":"/b/y"}])",
                R"({"a":{},"b":{"y":1}})"},
           Case{"move into itself", R"({"a":{}})", R"([{"op":"move","from":"/a","path":"/a/b"}])", nullptr},
           Case{"copy", R"({"a":[1]})", R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"a":[1],"b":[1]})"},
           Case{"test holds", R"({"a":{"x":1,"y":2}})", R"([{"op":"test","path":"/a","value":{"y":2,"x":1}}])",
                R"({"a":{"x":1,"y":2}})"},
           Case{"test fails", R"({"a":1})",
                R"([{"op":"add","path":"/b","value":1},{"op":"test","path":"/a","value":2}])", nullptr},
           Case{"test that it is missing", R"({})", R"([{"op":"test","path":"/a","value":null}])", "{}"},
           Case{"an integer is no float", R"({"a":1})", R"([{"op":"test","path":"/a","value":1.0}])", nullptr},
           Case{"without a value", R"({"a":1})", R"([{"op":"add","path":"/a"}])", R"({"a":null})"},
           Case{"path is required", R"({"a":1})", R"([{"op":"remove"}])", nullptr},
           Case{"unknown op", R"({"a":1})", R"([{"op":"put","path":"/a","value":1}])", nullptr},
           Case{"no list", R"({"a":1})", R"({"op":"remove","path":"/a"})", nullptr},
           Case{"no operations", R"({"a":1})", "null", R"({"a":1})"},
           Case{"a scalar", "1", "[]", nullptr},
       }) {
    Value value = *parse_json(target);
    const Status done = apply_json_patch(value, *parse_json(patch));
    EXPECT_EQ(done.has_value(), result != nullptr) << rule;
    EXPECT_EQ(to_json(value), result ? result : target) << rule;
  }
}

TEST(JsonPatch, BoundsCopies) {
  Value value = *parse_json(R"({"a":"x"})");
  Array patch;
  for (int i = 0; i < 100; ++i) {
    patch.push_back(*parse_json(R"({"op":"copy","from":"/a","path":"/a/-"})"));
  }
  EXPECT_FALSE(apply_json_patch(value = Object{{"a", Array{"x"}}}, patch));
}

TEST(JsonPatch, BoundsDepth) {
  Value value = Object{{"a", Object()}};
  Array patch;
  std::string path = "/a";
  for (int i = 0; i < 100; ++i) {
    path += "/a";
    patch.push_back(Object{{"op", "add"}, {"path", path}, {"value", Object()}});
  }
  EXPECT_FALSE(apply_json_patch(value, patch));
  patch.resize(60);
  EXPECT_TRUE(apply_json_patch(value, patch));
}

TEST(MergePatch, FollowsTheApiServer) {
  for (const auto& [rule, target, patch, result] : {
           Case{"null removes", R"({"a":1,"b":2,"c":3})", R"({"a":null})", R"({"b":2,"c":3})"},
           Case{"objects merge", R"({"a":{"b":1,"c":2}})", R"({"a":{"c":3,"d":4}})", R"({"a":{"b":1,"c":3,"d":4}})"},
           Case{"lists are replaced", R"({"a":[1,2]})", R"({"a":[3]})", R"({"a":[3]})"},
           Case{"no object becomes one", R"({"a":1})", R"({"a":{"b":{"c":null,"d":1}}})", R"({"a":{"b":{"d":1}}})"},
           Case{"a list replaces all", R"({"a":1})", R"([1])", R"([1])"},
           Case{"nulls in new lists go", R"({})", R"({"a":[{"b":null}, null]})", R"({"a":[{},null]})"},
           Case{"those in lists for objects stay", R"({"a":{}})", R"({"a":[{"b":null}]})", R"({"a":[{"b":null}]})"},
           Case{"a scalar", R"({"a":1})", "1", nullptr},
           Case{"null", R"({"a":1})", "null", nullptr},
           Case{"for null", "null", "{}", nullptr},
       }) {
    Value value = *parse_json(target);
    const Status done = apply_merge_patch(value, *parse_json(patch));
    EXPECT_EQ(done.has_value(), result != nullptr) << rule;
    EXPECT_EQ(to_json(value), result ? result : target) << rule;
  }
}

}  // namespace
}  // namespace tiphys::doc
