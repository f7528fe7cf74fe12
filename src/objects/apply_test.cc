#include "objects/apply.h"

#include <gtest/gtest.h>

#include "doc/yaml.h"
#include "schema/kubernetes.h"

namespace tiphys::objects {
namespace {

using std::chrono::minutes;

const Time kNoon = parse_rfc3339("2026-11-28T12:00:00Z").value();

doc::Value yaml(std::string_view text) {
  auto parsed = doc::parse_yaml(text, "test");
  EXPECT_TRUE(parsed) << text;
  return std::move(parsed->at(0).root);
}

/// Takes out nulls and empty objects.
void drop_unset(doc::Value& value) {
  doc::Object* object = value.if_object();
  if (!object) return;
  for (auto it = object->begin(); it != object->end();) {
    drop_unset(it->value());
    const bool unset = it->value().is_null() || (it->value().is_object() && it->value().get_object().empty());
    it = unset ? object->stable_erase(it) : std::next(it);
  }
}

/// One object that several managers write to, one a minute.
class Written {
 public:
  Written(std::string api_version, std::string kind, bool typed = true)
      : api_version_(std::move(api_version)),
        kind_(std::move(kind)),
        type_(typed ? schema::kubernetes_type(api_version_, kind_) : nullptr) {}

  /// "" or why it is refused.
  std::string apply(std::string_view manager, std::string_view config, bool force = false) {
    auto applied = objects::apply(live_.is_null() ? nullptr : &live_, object(config), writer(manager), force);
    if (!applied) {
      refusal_ = std::move(applied).error();
      return refusal_.error.message;
    }
    live_ = std::move(*applied);
    return "";
  }
  void update(std::string_view manager, std::string_view text) {
    doc::Value next = object(text);
    track_update(live_.is_null() ? nullptr : &live_, next, writer(manager));
    live_ = std::move(next);
  }
  void forget_managers() { remove_managed_fields(live_); }

  /// What is set in the object but for managers, apiVersion, kind and name.
  std::string rest() const {
    doc::Value object = live_;
    remove_managed_fields(object);
    doc::Object& members = object.as_object();
    for (const char* name : {"apiVersion", "kind"}) members.stable_erase(members.find(name));
    doc::Object& metadata = members.at("metadata").as_object();
    metadata.stable_erase(metadata.find("name"));
    drop_unset(object);
    return doc::to_json(object);
  }
  /// "" where there is no such manager.
  std::string fields_of(std::string_view manager, std::string_view operation = "Apply") const {
    const doc::Value* entry = entry_of(manager, operation);
    return entry ? doc::to_json(*doc::find(*entry, "fieldsV1")) : "";
  }
  std::string_view time_of(std::string_view manager, std::string_view operation = "Apply") const {
    const doc::Value* entry = entry_of(manager, operation);
    return entry ? doc::find_string(*entry, "time") : "";
  }
  std::string_view annotation(std::string_view name) const {
    return doc::find_string(live_, "metadata", "annotations", name);
  }
  const ApplyRefusal& refusal() const { return refusal_; }

 private:
  doc::Value object(std::string_view text) const {
    doc::Value object = yaml(text);
    object.as_object()["apiVersion"] = api_version_;
    object.as_object()["kind"] = kind_;
    doc::ensure_object(object.as_object(), "metadata")["name"] = "x";
    return object;
  }
  FieldWriter writer(std::string_view manager) {
    ++minute_;
    return {.manager = manager,
            .api_version = api_version_,
            .kind = kind_,
            .time = kNoon + minutes(minute_),
            .type = type_};
  }
  const doc::Value* entry_of(std::string_view manager, std::string_view operation) const {
    const doc::Value* managed = doc::find(live_, "metadata", "managedFields");
    if (!managed) return nullptr;
    for (const doc::Value& entry : managed->get_array()) {
      if (doc::find_string(entry, "manager") == manager && doc::find_string(entry, "operation") == operation) {
        return &entry;
      }
    }
    return nullptr;
  }

  std::string api_version_;
  std::string kind_;
  const schema::Type* type_;
  doc::Value live_{};
  int minute_ = -1;
  ApplyRefusal refusal_{};
};

TEST(Apply, CreatesAndOwnsWhatItNames) {
  Written object("apps/v1", "Deployment");
  EXPECT_EQ(object.apply("a", "{spec: {replicas: 1, template: {spec: {containers: [{name: c, image: i}]}}}}"), "");
  EXPECT_EQ(object.fields_of("a"),
            R"({"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":)"
            R"({".":{},"f:image":{},"f:name":{}}}}}}})");
  EXPECT_EQ(object.time_of("a"), "2026-11-28T12:00:00Z");
}

TEST(Apply, RemovesWhatItDoesNotNameAnyMoreUnlessOthersOwnIt) {
  Written object("v1", "ConfigMap");
  object.apply("a", "{data: {mine: x, shared: x, theirs: x}}");
  object.apply("b", "{data: {shared: x}}");
  object.update("c", "{data: {mine: x, shared: x, theirs: z}}");
  EXPECT_EQ(object.apply("a", "{metadata: {labels: {l: x}}}"), "");
  EXPECT_EQ(object.rest(), R"({"data":{"shared":"x","theirs":"z"},"metadata":{"labels":{"l":"x"}}})");
}

TEST(Apply, WhatOthersChangedIsAConflict) {
  Written object("apps/v1", "Deployment");
  object.update("kubectl-client-side-apply", "{spec: {replicas: 1, paused: true}}");
  EXPECT_EQ(object.apply("a", "{spec: {replicas: 2}}"),
            "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using apps/v1: .spec.replicas");
  EXPECT_EQ(object.refusal().error.code, Code::kAborted);
  ASSERT_EQ(object.refusal().conflicts.size(), 1U);
  EXPECT_EQ(object.refusal().conflicts[0].message, "conflict with \"kubectl-client-side-apply\" using apps/v1");
  EXPECT_EQ(object.refusal().conflicts[0].field, ".spec.replicas");
  // The same value is both's.
  EXPECT_EQ(object.apply("b", "{spec: {replicas: 1}}"), "");
  EXPECT_EQ(object.apply("a", "{spec: {replicas: 2, paused: false}}"),
            "Apply failed with 3 conflicts: conflicts with \"b\":\n- .spec.replicas\nconflicts with "
            "\"kubectl-client-side-apply\" using apps/v1:\n- .spec.paused\n- .spec.replicas");
  EXPECT_EQ(object.apply("a", "{spec: {replicas: 2, paused: false}}", true), "");
  EXPECT_EQ(object.fields_of("b"), "");
  EXPECT_EQ(object.fields_of("kubectl-client-side-apply", "Update"), "");
  EXPECT_EQ(object.rest(), R"({"spec":{"replicas":2,"paused":false}})");
}

TEST(Apply, WithoutAChangeNoTimeChanges) {
  Written object("v1", "ConfigMap");
  object.apply("a", "{data: {k: v}}");
  object.apply("a", "{data: {k: v}}");
  EXPECT_EQ(object.time_of("a"), "2026-11-28T12:00:00Z");
  // Who says the same as others has no time at all.
  object.apply("b", "{data: {k: v}}");
  EXPECT_EQ(object.time_of("b"), "");
  object.apply("b", "{data: {k: v, l: w}}");
  EXPECT_EQ(object.time_of("b"), "2026-11-28T12:03:00Z");
}

TEST(Apply, AnObjectWithoutManagersBelongsToSomebodyElse) {
  Written object("v1", "ConfigMap");
  object.update("x", "{data: {k: v}}");
  object.forget_managers();
  EXPECT_EQ(object.apply("a", "{data: {k: w}}"),
            "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.k");
  EXPECT_EQ(object.apply("a", "{data: {l: w}}"), "");
  EXPECT_EQ(object.fields_of("before-first-apply", "Update"), R"({"f:data":{".":{},"f:k":{}}})");
  EXPECT_EQ(object.fields_of("a"), R"({"f:data":{"f:l":{}}})");
}

TEST(Apply, ListsMergeAsTheirTypesSay) {
  struct Case {
    const char* rule;
    const char* kind;
    const char* first;   ///< applied by "a"
    const char* second;  ///< and by "b"
    const char* rest;
  };
  const Case cases[] = {
      {"by keys", "Pod", "{spec: {containers: [{name: a, image: i}, {name: b}]}}",
       "{spec: {containers: [{name: b, image: j}, {name: c}]}}",
       R"({"spec":{"containers":[{"name":"a","image":"i"},{"name":"b","image":"j"},{"name":"c"}]}})"},
      {"in the order of the configuration", "Pod", "{spec: {containers: [{name: a}, {name: b}, {name: c}]}}",
       "{spec: {containers: [{name: c}, {name: a}]}}",
       R"({"spec":{"containers":[{"name":"b"},{"name":"c"},{"name":"a"}]}})"},
      {"by keys with defaults", "Pod", "{spec: {containers: [{name: a, ports: [{containerPort: 80}]}]}}",
       "{spec: {containers: [{name: a, ports: [{containerPort: 80, protocol: UDP}, {containerPort: 80, protocol: TCP, "
       "name: x}]}]}}",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"UDP"},)"
       R"({"containerPort":80,"protocol":"TCP","name":"x"}]}]}})"},
      {"as sets", "Pod", "{metadata: {finalizers: [a, b]}}", "{metadata: {finalizers: [b, c]}}",
       R"({"metadata":{"finalizers":["a","b","c"]}})"},
      {"or as a whole", "Widget", "{spec: {list: [1, 2]}}", "{spec: {other: [3]}}",
       R"({"spec":{"list":[1,2],"other":[3]}})"},
  };
  for (const Case& one : cases) {
    const bool typed = std::string_view(one.kind) != "Widget";
    Written object(typed ? "v1" : "example.com/v1", one.kind, typed);
    EXPECT_EQ(object.apply("a", one.first), "") << one.rule;
    EXPECT_EQ(object.apply("b", one.second), "") << one.rule;
    EXPECT_EQ(object.rest(), one.rest) << one.rule;
  }
}

TEST(Apply, OfAnUntypedObjectMapsAreOwnedApartAndListsAsAWhole) {
  Written object("example.com/v1", "Widget", false);
  object.apply("a", "{spec: {map: {v: 1, w: 1}, list: [{name: v}]}}");
  EXPECT_EQ(object.fields_of("a"), R"({"f:spec":{".":{},"f:list":{},"f:map":{".":{},"f:v":{},"f:w":{}}}})");
  EXPECT_EQ(object.apply("b", "{spec: {map: {v: 2}, list: [{name: w}]}}"),
            "Apply failed with 2 conflicts: conflicts with \"a\":\n- .spec.list\n- .spec.map.v");
  EXPECT_EQ(object.apply("b", "{spec: {map: {z: 2}}}"), "");
  EXPECT_EQ(object.apply("a", "{spec: {map: {w: 1}}}"), "");
  EXPECT_EQ(object.rest(), R"({"spec":{"map":{"w":1,"z":2}}})");
}

TEST(Apply, AMapOwnedAsAWholeIsReplaced) {
  Written object("v1", "Service");
  object.apply("a", "{spec: {selector: {v: x, z: x}}}");
  EXPECT_EQ(object.fields_of("a"), R"({"f:spec":{"f:selector":{}}})");
  EXPECT_EQ(object.apply("a", "{spec: {selector: {v: x}}}"), "");
  EXPECT_EQ(object.rest(), R"({"spec":{"selector":{"v":"x"}}})");
}

TEST(Apply, KubectlGoesOnWithWhatItHasAppliedFromTheClient) {
  constexpr std::string_view kAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
  const std::string live =
      "{metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: "
      R"('{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},"spec":{"replicas":1,"paused":true}}'}}, )"
      "spec: {replicas: 1, paused: false}}";
  Written object("apps/v1", "Deployment");
  object.update("kubectl-client-side-apply", live);
  // replicas is still as it was applied, paused is not.
  EXPECT_EQ(object.apply("kubectl", "{spec: {replicas: 2, paused: true}}"),
            "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using apps/v1: .spec.paused");
  EXPECT_EQ(object.apply("other", "{spec: {replicas: 2}}"),
            "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using apps/v1: .spec.replicas");
  EXPECT_EQ(object.apply("kubectl", "{spec: {replicas: 2}}"), "");
  EXPECT_EQ(object.annotation(kAnnotation),
            R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},"spec":{"replicas":2}})"
            "\n");
}

TEST(Apply, RefusesWhatDoesNotFit) {
  struct Case {
    const char* config;
    Code code;
    const char* message;
  };
  const Case cases[] = {
      {"{spec: {replica: 1}}", Code::kInternal,
       "failed to create typed patch object (/x; apps/v1, Kind=Deployment): .spec.replica: field not declared in "
       "schema"},
      {"{spec: {replicas: '1'}}", Code::kInternal,
       "failed to create typed patch object (/x; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or "
       "float), got string"},
      {"{spec: {paused: {a: [1, b, null]}}}", Code::kInternal,
       "failed to create typed patch object (/x; apps/v1, Kind=Deployment): .spec.paused: expected boolean, got "
       "&{map[a:[1 b <nil>]]}"},
      {"{metadata: {namespace: default, labels: {a: 1}}}", Code::kInternal,
       "failed to create typed patch object (default/x; apps/v1, Kind=Deployment): .metadata.labels.a: expected "
       "string, "
       "got &value.valueUnstructured{Value:1}"},
      {"{spec: {template: {spec: {containers: [{name: a}, {name: a}]}}}}", Code::kInternal,
       "failed to create typed patch object (/x; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate "
       "entries for key [name=\"a\"]"},
      {"{metadata: {managedFields: []}}", Code::kInvalidArgument, "metadata.managedFields must be nil"},
  };
  for (const Case& one : cases) {
    Written object("apps/v1", "Deployment");
    EXPECT_EQ(object.apply("a", one.config), one.message);
    EXPECT_EQ(object.refusal().error.code, one.code) << one.message;
  }
  const FieldWriter writer{.manager = "a", .api_version = "v1", .kind = "Pod", .time = kNoon};
  const auto refused = apply(nullptr, yaml("{apiVersion: v1, kind: Secret, metadata: {name: x}}"), writer, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.message, "invalid object type: /v1, Kind=Secret");
}

}  // namespace
}  // namespace tiphys::objects
