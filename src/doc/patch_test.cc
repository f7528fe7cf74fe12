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

TEST(JsonPatch, FollowsRfc6902) {
  for (const auto& [rule, target, patch, result] : {
           Case{"add a member", R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})"},
           Case{"add replaces a member", R"({"a":1})", R"([{"op":"add","path":"/a","value":2}])", R"({"a":2})"},
           Case{"add inserts an element", R"([1,3])", R"([{"op":"add","path":"/1","value":2}])", R"([1,2,3])"},
           Case{"add at the end", R"([1])", R"([{"op":"add","path":"/-","value":2}])", R"([1,2])"},
           Case{"add behind the end", R"([1])", R"([{"op":"add","path":"/2","value":2}])", nullptr},
           Case{"add the document", R"([1])", R"([{"op":"add","path":"","value":{}}])", R"({})"},
           Case{"add below nothing", R"({})", R"([{"op":"add","path":"/a/b","value":1}])", nullptr},
           Case{"escapes", R"({"a/b":{"~c":1}})", R"([{"op":"replace","path":"/a~1b/~0c","value":2}])",
                R"({"a/b":{"~c":2}})"},
           Case{"remove keeps the order", R"({"a":1,"b":2,"c":3})", R"([{"op":"remove","path":"/a"}])",
                R"({"b":2,"c":3})"},
           Case{"remove an element", R"([1,2,3])", R"([{"op":"remove","path":"/1"}])", R"([1,3])"},
           Case{"remove nothing", R"({})", R"([{"op":"remove","path":"/a"}])", nullptr},
           Case{"an index with a leading zero", R"([1,2])", R"([{"op":"remove","path":"/01"}])", nullptr},
           Case{"replace nothing", R"({})", R"([{"op":"replace","path":"/a","value":1}])", nullptr},
           Case{"move", R"({"a":{"x":1},"b":{}})", R"([{"op":"move","from":"/a/x","path":"/b/y"}])",
                R"({"a":{},"b":{"y":1}})"},
           Case{"move into itself", R"({"a":{}})", R"([{"op":"move","from":"/a","path":"/a/b"}])", nullptr},
           Case{"copy", R"({"a":[1]})", R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"a":[1],"b":[1]})"},
           Case{"test holds", R"({"a":{"x":1,"y":2}})", R"([{"op":"test","path":"/a","value":{"y":2,"x":1}}])",
                R"({"a":{"x":1,"y":2}})"},
           Case{"test fails", R"({"a":1})",
                R"([{"op":"add","path":"/b","value":1},{"op":"test","path":"/a","value":2}])", nullptr},
           Case{"value is required", R"({"a":1})", R"([{"op":"add","path":"/a"}])", nullptr},
           Case{"path is required", R"({"a":1})", R"([{"op":"remove"}])", nullptr},
           Case{"unknown op", R"({"a":1})", R"([{"op":"put","path":"/a","value":1}])", nullptr},
           Case{"no list", R"({"a":1})", R"({"op":"remove","path":"/a"})", nullptr},
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
    patch.push_back(*parse_json(R"({"op":"copy","from":"","path":"/a"})"));
  }
  EXPECT_FALSE(apply_json_patch(value, patch));
}

TEST(MergePatch, FollowsRfc7386) {
  for (const auto& [rule, target, patch, result] : {
           Case{"null removes", R"({"a":1,"b":2,"c":3})", R"({"a":null})", R"({"b":2,"c":3})"},
           Case{"objects merge", R"({"a":{"b":1,"c":2}})", R"({"a":{"c":3,"d":4}})", R"({"a":{"b":1,"c":3,"d":4}})"},
           Case{"lists are replaced", R"({"a":[1,2]})", R"({"a":[3]})", R"({"a":[3]})"},
           Case{"no object becomes one", R"({"a":1})", R"({"a":{"b":{"c":null,"d":1}}})", R"({"a":{"b":{"d":1}}})"},
           Case{"no object replaces all", R"({"a":1})", R"([1])", R"([1])"},
       }) {
    Value value = *parse_json(target);
    apply_merge_patch(value, *parse_json(patch));
    EXPECT_EQ(to_json(value), result) << rule;
  }
}

TEST(StrategicMergePatch, MergesAsKubernetesDoes) {
  for (const auto& [rule, target, patch, result] : {
           Case{"containers by name", R"({"containers":[{"name":"a","image":"x"},{"name":"b"}]})",
                R"({"containers":[{"name":"b","image":"y"},{"name":"c"}]})",
                R"({"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"},{"name":"c"}]})"},
           Case{"env within containers", R"({"containers":[{"name":"a","env":[{"name":"X","value":"1"}]}]})",
                R"({"containers":[{"name":"a","env":[{"name":"Y","value":"2"}]}]})",
                R"({"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]}]})"},
           Case{"volume mounts by path", R"({"volumeMounts":[{"name":"v","mountPath":"/a"}]})",
                R"({"volumeMounts":[{"name":"v","mountPath":"/b"},{"name":"w","mountPath":"/a"}]})",
                R"({"volumeMounts":[{"name":"w","mountPath":"/a"},{"name":"v","mountPath":"/b"}]})"},
           Case{"ports by containerPort", R"({"ports":[{"containerPort":1,"name":"p"}]})",
                R"({"ports":[{"containerPort":1,"name":"q"}]})", R"({"ports":[{"containerPort":1,"name":"q"}]})"},
           Case{"a service's ports by port", R"({"ports":[{"port":1}]})", R"({"ports":[{"port":1,"name":"q"}]})",
                R"({"ports":[{"port":1,"name":"q"}]})"},
           Case{"other lists are replaced", R"({"args":["a"],"tolerations":[{"key":"x"}]})",
                R"({"args":["b"],"tolerations":[{"key":"y"}]})", R"({"args":["b"],"tolerations":[{"key":"y"}]})"},
           Case{"finalizers are a set", R"({"finalizers":["a"]})", R"({"finalizers":["a","b"]})",
                R"({"finalizers":["a","b"]})"},
           Case{"null removes", R"({"a":1,"b":2})", R"({"a":null})", R"({"b":2})"},
           Case{"an element is deleted", R"({"containers":[{"name":"a"},{"name":"b"}]})",
                R"({"containers":[{"name":"a","$patch":"delete"}]})", R"({"containers":[{"name":"b"}]})"},
           Case{"a list is replaced", R"({"containers":[{"name":"a"},{"name":"b"}]})",
                R"({"containers":[{"name":"c"},{"$patch":"replace"}]})", R"({"containers":[{"name":"c"}]})"},
           Case{"an object is replaced", R"({"m":{"a":1}})", R"({"m":{"$patch":"replace","b":2}})", R"({"m":{"b":2}})"},
           Case{"an object is emptied", R"({"m":{"a":1}})", R"({"m":{"$patch":"delete"}})", R"({"m":{}})"},
           Case{"merge is the default", R"({"m":{"a":1}})", R"({"m":{"$patch":"merge","b":2}})",
                R"({"m":{"a":1,"b":2}})"},
           Case{"retained keys", R"({"m":{"a":1,"b":2}})", R"({"m":{"$retainKeys":["b","c"],"c":3}})",
                R"({"m":{"b":2,"c":3}})"},
           Case{"deletion from a list of scalars", R"({"finalizers":["a","b"]})",
                R"({"$deleteFromPrimitiveList/finalizers":["a"]})", R"({"finalizers":["b"]})"},
           Case{"element order", R"({"containers":[{"name":"s"},{"name":"a"},{"name":"b"}]})",
                R"({"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"b","x":1}]})",
                R"({"containers":[{"name":"s"},{"name":"b","x":1},{"name":"a"}]})"},
           Case{"directives of new objects are not kept", R"({})", R"({"m":{"$patch":"merge","a":null,"b":1}})",
                R"({"m":{"b":1}})"},
           Case{"the merge key is required", R"({"containers":[{"name":"a"}]})", R"({"containers":[{"image":"x"}]})",
                nullptr},
           Case{"an unknown directive", R"({"a":1})", R"({"$patch":"odd"})", nullptr},
           Case{"no object", R"({"a":1})", R"([])", nullptr},
       }) {
    Value value = *parse_json(target);
    const Status done = apply_strategic_merge_patch(value, *parse_json(patch));
    EXPECT_EQ(done.has_value(), result != nullptr) << rule;
    EXPECT_EQ(to_json(value), result ? result : target) << rule;
  }
}

}  // namespace
}  // namespace tiphys::doc
