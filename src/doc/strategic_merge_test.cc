#include <gtest/gtest.h>

#include "doc/patch.h"
#include "doc/strategic_types.h"

namespace tiphys::doc {
namespace {

struct Case {
  const char* rule;
  const char* kind;
  const char* target;
  const char* patch;
  const char* result;  ///< nullptr: an error, and the target as it was
};

void check(std::initializer_list<Case> cases) {
  for (const auto& [rule, kind, target, patch, result] : cases) {
    Value value = *parse_json(target);
    const Status done = apply_strategic_merge_patch(value, *parse_json(patch), kind);
    EXPECT_EQ(done.has_value(), result != nullptr) << rule << ": " << (done ? "" : done.error().message);
    EXPECT_EQ(to_json(value), result ? result : target) << rule;
  }
}

TEST(StrategicMergePatch, MergesListsByTheirKeys) {
  check({
      {"containers by name", "PodSpec", R"({"containers":[{"name":"a","image":"x"},{"name":"b"}]})",
       R"({"containers":[{"name":"b","image":"y"},{"name":"c"}]})",
       R"({"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"},{"name":"c"}]})"},
      {"env within containers, what is new first", "PodSpec",
       R"({"containers":[{"name":"a","env":[{"name":"X","value":"1"}]}]})",
       R"({"containers":[{"name":"a","env":[{"name":"Y","value":"2"}]}]})",
       R"({"containers":[{"name":"a","env":[{"name":"Y","value":"2"},{"name":"X","value":"1"}]}]})"},
      {"what the patch has comes in its order", "Container", R"({"volumeMounts":[{"name":"v","mountPath":"/a"}]})",
       R"({"volumeMounts":[{"name":"v","mountPath":"/b"},{"name":"w","mountPath":"/a"}]})",
       R"({"volumeMounts":[{"name":"v","mountPath":"/b"},{"name":"w","mountPath":"/a"}]})"},
      {"ports by containerPort", "Container", R"({"ports":[{"containerPort":1,"name":"p"}]})",
       R"({"ports":[{"containerPort":1,"name":"q"}]})", R"({"ports":[{"containerPort":1,"name":"q"}]})"},
      {"a service's ports by port", "Service", R"({"spec":{"ports":[{"port":1}]}})",
       R"({"spec":{"ports":[{"port":1,"name":"q"}]}})", R"({"spec":{"ports":[{"port":1,"name":"q"}]}})"},
      {"templates and their tasks", "Workflow",
       R"({"spec":{"templates":[{"name":"m","dag":{"tasks":[{"name":"a"}]}}]}})",
       R"({"spec":{"templates":[{"name":"m","dag":{"tasks":[{"name":"b"}]}}]}})",
       R"({"spec":{"templates":[{"name":"m","dag":{"tasks":[{"name":"b"},{"name":"a"}]}}]}})"},
      {"tolerations of a pod are replaced", "PodSpec", R"({"tolerations":[{"key":"x"}]})",
       R"({"tolerations":[{"key":"y"}]})", R"({"tolerations":[{"key":"y"}]})"},
      {"those of a workflow merge", "Workflow", R"({"spec":{"tolerations":[{"key":"x"}]}})",
       R"({"spec":{"tolerations":[{"key":"y"}]}})", R"({"spec":{"tolerations":[{"key":"y"},{"key":"x"}]}})"},
      {"other lists are replaced", "Container", R"({"args":["a"]})", R"({"args":["b"]})", R"({"args":["b"]})"},
      {"finalizers are a set", "Pod", R"({"metadata":{"finalizers":["a"]}})",
       R"({"metadata":{"finalizers":["a","b"]}})", R"({"metadata":{"finalizers":["a","b"]}})"},
      {"the merge key is required", "PodSpec", R"({"containers":[{"name":"a"}]})", R"({"containers":[{"image":"x"}]})",
       nullptr},
      {"elements of one type", "PodSpec", R"({"containers":[{"name":"a"}]})", R"({"containers":["a"]})", nullptr},
      {"no nulls", "PodSpec", R"({"containers":[{"name":"a"}]})", R"({"containers":[null]})", nullptr},
  });
}

TEST(StrategicMergePatch, MergesObjects) {
  check({
      {"null removes", "Pod", R"({"a":1,"b":2})", R"({"a":null,"c":null})", R"({"b":2})"},
      {"nulls of new objects are not kept", "Pod", "{}", R"({"m":{"a":null,"b":[{"c":null}]}})", R"({"m":{"b":[{}]}})"},
      {"those of new elements are", "PodSpec", R"({"containers":[]})", R"({"containers":[{"name":"a","image":null}]})",
       R"({"containers":[{"name":"a","image":null}]})"},
      {"another type replaces", "Pod", R"({"spec":{}})", R"({"spec":[1]})", R"({"spec":[1]})"},
      {"unknown objects come whole", "Pod", "{}", R"({"odd":{"a":1}})", R"({"odd":{"a":1}})"},
      {"but do not merge", "Pod", R"({"odd":{"a":1}})", R"({"odd":{"b":1}})", nullptr},
      {"nor do lists", "PodSpec", R"({"odd":[1]})", R"({"odd":[2]})", nullptr},
      {"labels have any keys", "Pod", R"({"metadata":{"labels":{"a":"1"}}})", R"({"metadata":{"labels":{"b":"2"}}})",
       R"({"metadata":{"labels":{"a":"1","b":"2"}}})"},
      {"a disruption budget's selector is replaced", "Workflow",
       R"({"spec":{"podDisruptionBudget":{"selector":{"matchLabels":{"a":"1"}}}}})",
       R"({"spec":{"podDisruptionBudget":{"selector":{"matchLabels":{"b":"2"}}}}})",
       R"({"spec":{"podDisruptionBudget":{"selector":{"matchLabels":{"b":"2"}}}}})"},
      {"an unknown kind", "Odd", "{}", "{}", nullptr},
      {"no object", "Pod", R"({"a":1})", "[]", nullptr},
  });
}

TEST(StrategicMergePatch, FollowsDirectives) {
  check({
      {"an element is deleted", "PodSpec", R"({"containers":[{"name":"a"},{"name":"b"}]})",
       R"({"containers":[{"name":"a","$patch":"delete"}]})", R"({"containers":[{"name":"b"}]})"},
      {"a list is replaced", "PodSpec", R"({"containers":[{"name":"a"},{"name":"b"}]})",
       R"({"containers":[{"name":"c"},{"$patch":"replace"}]})", R"({"containers":[{"name":"c"}]})"},
      {"elements cannot say merge", "PodSpec", R"({"containers":[{"name":"a"}]})",
       R"({"containers":[{"name":"a","$patch":"merge"}]})", nullptr},
      {"an object is replaced", "Pod", R"({"spec":{"a":1}})", R"({"spec":{"$patch":"replace","b":2}})",
       R"({"spec":{"b":2}})"},
      {"an object is emptied", "Pod", R"({"spec":{"a":1}})", R"({"spec":{"$patch":"delete"}})", R"({"spec":{}})"},
      {"objects cannot say merge", "Pod", R"({"spec":{"a":1}})", R"({"spec":{"$patch":"merge","b":2}})", nullptr},
      {"an object that is not there", "Pod", "{}", R"({"spec":{"$patch":"delete"}})", "{}"},
      {"retained keys", "PodSpec", R"({"a":1,"b":2})", R"({"$retainKeys":["b","c"],"c":3})", R"({"b":2,"c":3})"},
      {"retained keys name all of the patch", "PodSpec", R"({"a":1})", R"({"$retainKeys":["b"],"c":3})", nullptr},
      {"deletion from a list of scalars", "ObjectMeta", R"({"finalizers":["a","b"]})",
       R"({"$deleteFromPrimitiveList/finalizers":["a"]})", R"({"finalizers":["b"]})"},
      {"a list's order", "PodSpec", R"({"containers":[{"name":"s"},{"name":"a"},{"name":"b"}]})",
       R"({"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"b","image":"x"}]})",
       R"({"containers":[{"name":"s"},{"name":"b","image":"x"},{"name":"a"}]})"},
      {"an order without changes", "ObjectMeta", R"({"finalizers":["a","b","c"]})",
       R"({"$setElementOrder/finalizers":["c","a"]})", R"({"finalizers":["b","c","a"]})"},
      {"a new element takes a deleted one's place", "PodSpec", R"({"containers":[{"name":"a"},{"name":"b"}]})",
       R"({"$setElementOrder/containers":[{"name":"c"}],"containers":[{"name":"b","$patch":"delete"},{"name":"c"}]})",
       R"({"containers":[{"name":"a"},{"name":"c"}]})"},
      {"an order that lacks an element", "PodSpec", R"({"containers":[]})",
       R"({"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"b"}]})", nullptr},
      {"an order without a field", "PodSpec", "{}", R"({"$setElementOrder":[]})", nullptr},
  });
}

TEST(StrategicMergePatch, KnowsTheFieldsOfAType) {
  const auto volumes = workflow_patch_types().find("PodSpec", "volumes");
  ASSERT_TRUE(volumes);
  EXPECT_TRUE(volumes->list && volumes->merges);
  EXPECT_EQ(volumes->key, "name");
  EXPECT_EQ(volumes->type, "Volume");
  EXPECT_FALSE(workflow_patch_types().find("PodSpec", "volume"));
  EXPECT_FALSE(workflow_patch_types().find("", "volumes"));
}

TEST(StrategicMergePatch, TakesLongLists) {
  Array before;
  Array patch;
  for (int i = 0; i < 50'000; ++i) {
    before.push_back(Object{{"name", std::to_string(i)}});
    patch.push_back(Object{{"name", std::to_string(i + 25'000)}, {"image", "x"}});
  }
  Value value = Object{{"containers", before}};
  ASSERT_TRUE(apply_strategic_merge_patch(value, Object{{"containers", patch}}, "PodSpec"));
  EXPECT_EQ(value.at("containers").as_array().size(), 75'000);
  Array names;
  for (int i = 0; i < 10'001; ++i) names.push_back(Value(std::to_string(i)));
  EXPECT_FALSE(apply_strategic_merge_patch(value = Object{{"finalizers", Array{"a"}}}, Object{{"finalizers", names}},
                                           "ObjectMeta"));
}

}  // namespace
}  // namespace tiphys::doc
