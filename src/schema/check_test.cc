#include "schema/check.h"

#include <gmock/gmock.h>

#include "doc/yaml.h"
#include "schema/kubernetes.h"

namespace tiphys::schema {
namespace {

using ::testing::ElementsAre;

doc::Value yaml(std::string_view text) {
  auto parsed = doc::parse_yaml(text, "test");
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
  return std::move(parsed->at(0).root);
}

TEST(UnknownFields, AreToldByTheirPaths) {
  struct Case {
    const char* api_version;
    const char* kind;
    const char* object;
    std::vector<std::string> unknown;
  };
  const Case cases[] = {
      {"v1", "ConfigMap", "{metadata: {name: a}, data: {any: thing}}", {}},
      {"v1", "ConfigMap", "{metadata: {nam: a, labels: {x: y}}, dat: {}}", {"metadata.nam", "dat"}},
      {"v1",
       "Pod",
       "{spec: {containers: [{name: a}, {imag: b}], volumes: [{name: v, emptyDir: {size: 1}}]}}",
       {"spec.containers[1].imag", "spec.volumes[0].emptyDir.size"}},
      {"v1", "ConfigMap", "{metadata: {managedFields: [{manager: a, fieldsV1: {'f:data': {'f:k': {}}}}]}}", {}},
      {"apps/v1", "Deployment", "{spec: {template: {spec: {hostnam: x}}}}", {"spec.template.spec.hostnam"}},
  };
  for (const Case& one : cases) {
    const Type* type = kubernetes_type(one.api_version, one.kind);
    ASSERT_NE(type, nullptr);
    EXPECT_EQ(unknown_fields(*type, yaml(one.object)), one.unknown) << one.object;
  }
}

TEST(Misfit, IsTheFirstValueOfTheWrongForm) {
  struct Case {
    const char* object;
    std::optional<std::string> misfit;
  };
  const Case cases[] = {
      {"{spec: {replicas: 2}}", {}},
      {"{spec: {replicas: 2.0}}", {}},
      {"{spec: {replicas: null, strategy: {rollingUpdate: {maxSurge: 25%}}}}", {}},
      {"{spec: {replicas: two}}", R"(spec.replicas: must be an integer, not "two")"},
      {"{spec: {replicas: 99999999999}}", "spec.replicas: must be a 32-bit integer, not 99999999999"},
      {"{metadata: {creationTimestamp: yesterday}}",
       R"(metadata.creationTimestamp: must be a time like 2006-01-02T15:04:05Z, not "yesterday")"},
      {"{spec: {paused: 'yes'}}", R"(spec.paused: must be a boolean, not "yes")"},
      {"{metadata: {labels: {a: 1}}}", "metadata.labels.a: must be a string, not 1"},
      {"{spec: {template: {spec: {containers: {name: a}}}}}",
       R"(spec.template.spec.containers: must be an array, not {"name":"a"})"},
  };
  const Type* type = kubernetes_type("apps/v1", "Deployment");
  for (const Case& one : cases) EXPECT_EQ(misfit(*type, yaml(one.object)), one.misfit) << one.object;
}

class CustomType : public ::testing::Test {
 protected:
  const Type& type(std::string_view schema) {
    auto compiled = types_.compile(yaml(schema));
    EXPECT_TRUE(compiled.has_value()) << compiled.error().message;
    return **compiled;
  }

  Types types_;
};

TEST_F(CustomType, IsHeldToItsRules) {
  struct Case {
    const char* schema;
    const char* value;
    std::vector<std::string> errors;
  };
  const Case cases[] = {
      {"{type: integer}", "3", {}},
      {"{type: integer}", "three", {R"(: Invalid value: "string":  in body must be of type integer: "string")"}},
      {"{type: object, properties: {a: {type: integer}}, required: [a, b]}", "{a: 1}", {"b: Required value"}},
      {"{type: object, properties: {a: {type: integer, nullable: true}}}", "{a: null}", {}},
      {"{type: object, properties: {a: {type: integer}}}",
       "{a: null}",
       {R"(a: Invalid value: "null": a in body must be of type integer: "null")"}},
      {"{type: object, properties: {a: {type: integer, format: int32}}}", "{a: 3000000000}", {}},
      {"{type: object, properties: {a: {type: string, format: date-time}}}",
       "{a: yesterday}",
       {R"(a: Invalid value: "yesterday": a in body must be of type date-time: "yesterday")"}},
      {"{type: object, properties: {a: {type: string, enum: [x, w]}}}",
       "{a: z}",
       {R"(a: Unsupported value: "z": supported values: "x", "w")"}},
      {"{type: object, properties: {a: {type: string, pattern: '^[a-z]+$'}}}",
       "{a: A}",
       {R"(a: Invalid value: "A": a in body should match '^[a-z]+$')"}},
      {"{type: object, properties: {a: {type: integer, minimum: 1, maximum: 3}}}",
       "{a: 4}",
       {"a: Invalid value: 4: a in body should be less than or equal to 3"}},
      {"{type: object, properties: {a: {type: number, minimum: 1, exclusiveMinimum: true}}}",
       "{a: 1}",
       {"a: Invalid value: 1: a in body should be greater than 1"}},
      {"{type: object, properties: {a: {type: integer, multipleOf: 5}}}",
       "{a: 7}",
       {"a: Invalid value: 7: a in body should be a multiple of 5"}},
      {"{type: object, properties: {a: {type: string, minLength: 2, maxLength: 3}}}",
       "{a: \u00fc}",
       {"a: Invalid value: \"\u00fc\": a in body should be at least 2 chars long"}},
      {"{type: object, properties: {a: {type: string, maxLength: 3}}}",
       "{a: abcd}",
       {"a: Too long: may not be more than 3 bytes"}},
      {"{type: object, properties: {a: {type: array, maxItems: 1, items: {type: string}}}}",
       "{a: [b, c]}",
       {"a: Too many: 2: must have at most 1 items"}},
      {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: set, items: {type: string}}}}",
       "{a: [b, b]}",
       {"a[1]: Duplicate value: \"b\""}},
      {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [id], "
       "items: {type: object, properties: {id: {type: string}}}}}}",
       "{a: [{id: x}, {id: w}, {id: x}]}",
       {"a[2]: Duplicate value: {\"id\":\"x\"}"}},
      {"{type: object, additionalProperties: {type: string}}",
       "{a: b, c: 1}",
       {R"(c: Invalid value: "integer": c in body must be of type string: "integer")"}},
      {"{type: object, properties: {a: {}, b: {}}, oneOf: [{required: [a]}, {required: [b]}]}",
       "{a: 1, b: 2}",
       {R"(: Invalid value: {"a":1,"b":2}:  in body must validate one and only one schema (oneOf))"}},
      {"{type: object, properties: {a: {x-kubernetes-int-or-string: true}}}", "{a: 50%}", {}},
      {"{type: object, properties: {a: {x-kubernetes-int-or-string: true}}}",
       "{a: 1.5}",
       {R"(a: Invalid value: "number": a in body must be of type integer,string: "number")"}},
      {"{type: object, properties: {a: {type: integer}}}",
       "{a: 9223372036854775808}",
       {R"(a: Invalid value: "number": a in body must be of type integer: "number")"}},
      {"{type: object, properties: {a: {type: integer, enum: [1, 2]}}}", "{a: 1.0}", {}},
      {"{type: object, properties: {a: {type: array, minItems: 1, items: {type: string}}}}",
       "{a: []}",
       {"a: Invalid value: 0: a in body should have at least 1 items"}},
      {"{type: object, properties: {a: {type: string, format: ipv4}}}",
       "{a: 1.2.3}",
       {R"(a: Invalid value: "1.2.3": a in body must be of type ipv4: "1.2.3")"}},
      {"{type: object, properties: {a: {type: string, not: {enum: [bad]}}}}",
       "{a: bad}",
       {R"(a: Invalid value: "bad": a in body must not validate the schema (not))"}},
  };
  for (const Case& one : cases) {
    std::vector<std::string> found;
    for (const FieldError& error : check(type(one.schema), yaml(one.value))) found.push_back(error.text());
    EXPECT_EQ(found, one.errors) << one.schema << " " << one.value;
  }
}

TEST_F(CustomType, IsPruned) {
  const char* schema =
      "{type: object, properties: {a: {type: object, properties: {b: {type: string}}}, "
      "free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {c: {type: object}}}, "
      "pod: {type: object, x-kubernetes-embedded-resource: true}}}";
  doc::Value value = yaml(
      "{x: 1, a: {b: y, z: 2}, free: {any: 1, c: {gone: 1}}, pod: {apiVersion: v1, kind: Pod, metadata: {}, spec: "
      "{}}}");
  prune(type(schema), value);
  EXPECT_EQ(value, yaml("{a: {b: y}, free: {any: 1, c: {}}, pod: {apiVersion: v1, kind: Pod, metadata: {}}}"));
}

TEST_F(CustomType, IsFilledWithDefaults) {
  const char* schema =
      "{type: object, properties: {a: {type: integer, default: 3}, b: {type: object, default: {}, "
      "properties: {c: {type: string, default: x}}}, d: {type: string}, e: {type: string, nullable: true, default: f}, "
      "l: {type: array, items: {type: object, properties: {p: {type: string, default: TCP}}}}, "
      "m: {type: object, additionalProperties: {type: string}}}}";
  doc::Value value = yaml("{d: null, e: null, l: [{}, {p: UDP}], m: {k: null, n: v}}");
  fill_defaults(type(schema), value);
  EXPECT_EQ(value, yaml("{e: null, l: [{p: TCP}, {p: UDP}], m: {n: v}, a: 3, b: {c: x}}"));
}

TEST_F(CustomType, WithAResourceInItHoldsThatToItsMetadata) {
  Types types(&kubernetes_types());
  const auto compiled =
      types.compile(yaml("{type: object, properties: {pod: {type: object, x-kubernetes-embedded-resource: true, "
                         "x-kubernetes-preserve-unknown-fields: true}}}"));
  ASSERT_TRUE(compiled.has_value());
  const Type& type = **compiled;
  doc::Value value = yaml("{pod: {apiVersion: v1, kind: Pod, metadata: {name: a, nonsense: 1}, spec: {b: c}}}");
  EXPECT_EQ(unknown_fields(type, value), std::vector<std::string>{"pod.metadata.nonsense"});
  EXPECT_EQ(embedded_misfit(type, value), std::nullopt);
  prune(type, value);
  EXPECT_EQ(value, yaml("{pod: {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {b: c}}}"));
  EXPECT_THAT(check(type, value), ::testing::IsEmpty());
  EXPECT_EQ(embedded_misfit(type, yaml("{pod: {metadata: {labels: {a: 1}}}}")),
            "pod.metadata.labels.a: must be a string, not 1");
  std::vector<std::string> found;
  for (const FieldError& error : check(type, yaml("{pod: {apiVersion: a/b/c}}"))) found.push_back(error.text());
  EXPECT_THAT(found, ElementsAre("pod.kind: Required value",
                                 R"(pod.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c)"));
}

TEST_F(CustomType, WithAReferenceToNothingIsAnError) {
  const auto failed = types_.compile(yaml("{type: object, properties: {a: {$ref: '#/components/schemas/none'}}}"));
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().message, "a: $ref: there is no schema \"#/components/schemas/none\"");
}

TEST(KubernetesTypes, KnowHowTheirListsMerge) {
  const Type* pod = kubernetes_type("v1", "PodSpec");
  const Type* containers = pod->find("containers")->type;
  EXPECT_THAT(containers->keys, ElementsAre("name"));
  EXPECT_THAT(containers->element->find("ports")->type->keys, ElementsAre("containerPort", "protocol"));
  EXPECT_TRUE(pod->find("tolerations")->type->atomic);
  EXPECT_TRUE(kubernetes_type("meta.k8s.io/v1", "ObjectMeta")->find("finalizers")->type->set);
}

TEST(DropEmpty, LeavesWhatIsAChoice) {
  doc::Value pod = yaml(
      "{metadata: {labels: {}, annotations: null, generateName: ''}, spec: {hostNetwork: false, replicas: 1, "
      "automountServiceAccountToken: false, volumes: [{name: v, emptyDir: {}}], containers: []}}");
  drop_empty(*kubernetes_type("v1", "Pod"), pod);
  EXPECT_EQ(doc::to_json(pod), R"({"metadata":{},"spec":{"replicas":1,"automountServiceAccountToken":false,)"
                               R"("volumes":[{"name":"v","emptyDir":{}}],"containers":[]}})");
}

TEST(DropEmpty, GivesNullsAndQuantitiesTheirValues) {
  doc::Value pod = yaml(
      "{metadata: {labels: {a: null}}, spec: {containers: [null, {name: m, args: [null], resources: {limits: {cpu: 2, "
      "memory: 1024Mi, storage: null, odd: lots}, requests: {cpu: 0.5}}}]}}");
  drop_empty(*kubernetes_type("v1", "Pod"), pod);
  EXPECT_EQ(doc::to_json(pod),
            R"({"metadata":{"labels":{"a":""}},"spec":{"containers":[{},{"name":"m","args":[""],"resources":{"limits":)"
            R"({"cpu":"2","memory":"1Gi","storage":"0","odd":"lots"},"requests":{"cpu":"500m"}}}]}})");
}

TEST(DropNulls, LeavesThemWhereAnythingMayStand) {
  doc::Value pod = yaml(
      "{metadata: {labels: {a: null}, annotations: null, managedFields: [{fieldsV1: {a: null}}]}, more: null, "
      "spec: {containers: [null, {name: m, args: [null], resources: {limits: {cpu: null}}}]}}");
  drop_nulls(*kubernetes_type("v1", "Pod"), pod);
  EXPECT_EQ(doc::to_json(pod), R"({"metadata":{"labels":{"a":""},"managedFields":[{"fieldsV1":{"a":null}}]},)"
                               R"("spec":{"containers":[{},{"name":"m","args":[""],"resources":{"limits":{}}}]}})");
}

}  // namespace
}  // namespace tiphys::schema
