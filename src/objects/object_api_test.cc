#include "objects/object_api.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "objects/testing.h"

namespace tiphys::objects {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ObjectApiTest : public ::testing::Test {
 protected:
  Target map(std::string_view name = "") { return api_.target("v1", "ConfigMap", name); }
  std::string text(const Target& target) {
    const auto object = api_.get(target);
    return object ? doc::to_json(**object) : object.error().reason;
  }
  std::string text(const Target& target, const char* outer, const char* inner) {
    const auto object = api_.get(target);
    const doc::Value* found = object ? doc::find(**object, outer, inner) : nullptr;
    return found ? doc::to_json(*found) : "none";
  }

  TestApi api_;
};

TEST_F(ObjectApiTest, RefusesWhatIsNoObjectOfTheKind) {
  struct Row {
    const char* object;
    unsigned code;
    const char* message;
  };
  const Row rows[] = {
      {"{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: '***'}}", 400, "data.k: must be base64"},
      {"{apiVersion: v1, kind: Secret, metadata: {name: a}, type: kubernetes.io/tls, stringData: {tls.crt: x}}", 422,
       "data[tls.key]: Required value"},
      {"{apiVersion: v1, kind: ConfigMap, metadata: [a]}", 400, "metadata: must be an object, not [\"a\"]"},
      {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [plain]}}", 422,
       "metadata.finalizers[0]: Invalid value: \"plain\": name is neither a standard finalizer name"},
      {"{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}, {port: 81}]}}", 422,
       "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]"},
      {"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {accessModes: [ReadWriteOnce]}}", 422,
       "spec.resources[storage]: Required value"},
      {"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: m, image: x, env: [{name: A, "
       "valueFrom: {}}], livenessProbe: {}, resources: {limits: {cpu: 1}, requests: {cpu: 2}}}], volumes: [{name: v, "
       "secret: {}}], tolerations: [{operator: Equal}]}}",
       422,
       "[spec.volumes[0].secret.secretName: Required value, spec.containers[0].livenessProbe: Required value: must "
       "specify a handler type, spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: "
       "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`, spec.containers[0].resources.requests: "
       "Invalid value: \"2\": must be less than or equal to cpu limit of 1, spec.tolerations[0].operator: Invalid "
       "value: "
       "\"Equal\": operator must be Exists when `key` is empty"},
      {"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: m, image: x, env: [{name: A, "
       "valueFrom: {fileKeyRef: {volumeName: v, path: ../f, key: ''}}}, {name: B, valueFrom: {fileKeyRef: {volumeName: "
       "w, path: f, key: k}}}]}], volumes: [{name: v, hostPath: {path: /x}}]}}",
       422,
       "[spec.containers[0].env[0].valueFrom.fileKeyRef.key: Required value, "
       "spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: \"../f\": must not contain '..', "
       "spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Invalid value: \"v\": referenced volume must be of "
       "type emptyDir, spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Not found: \"w\"]"},
      {"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a}, rules: [{verbs: [get]}]}", 422,
       "[rules[0].apiGroups: Required value: resource rules must supply at least one api group, rules[0].resources: "
       "Required value: resource rules must supply at least one resource]"},
      {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: 1}}", 400,
       "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: data.k: must be a string, not 1"},
      {"{apiVersion: v1, kind: ConfigMap, metadata: {}}", 422,
       "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required"},
      {"{apiVersion: v1, kind: ConfigMap, metadata: {name: A_b}}", 422,
       "ConfigMap \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must "
       "consist"},
      {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: other}}", 400,
       "the namespace of the provided object does not match the namespace sent on the request"},
      {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, resourceVersion: '1'}}", 500,
       "resourceVersion should not be set on objects to be created"},
      {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {'a b': c}}}", 422,
       "metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters"},
      {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {a: 'b c'}}}", 422,
       "metadata.labels: Invalid value: \"b c\": a valid label must be an empty string or consist of"},
      {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {'a/b': c}}", 422,
       "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of"},
      {"{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: a}, spec: null}", 422,
       "spec: Required value"},
      {"{apiVersion: argoproj.io/v1alpha1, kind: CronWorkflow, metadata: {name: a}}", 422, "spec: Required value"},
      {"{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: a}, spec: [a]}", 422,
       "spec in body must be of type object"},
      {"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {}}", 422, "spec.containers: Required value"},
      {"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {restartPolicy: Ever, containers: [{name: b}, {name: "
       "b}]}}",
       422,
       "[spec.containers[0].image: Required value, spec.containers[1].name: Duplicate value: \"b\", "
       "spec.containers[1].image: Required value, spec.restartPolicy: Unsupported value: \"Ever\": supported values: "
       "\"Always\", \"OnFailure\", \"Never\"]"},
      {"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: b, image: c, volumeMounts: "
       "[{name: v, mountPath: /x}]}]}}",
       422, "spec.containers[0].volumeMounts[0].name: Not found: \"v\""},
      {"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: {group: "
       "e.com, "
       "scope: Here, names: {plural: as, kind: A}, versions: []}}",
       422, "spec.scope: Unsupported value: \"Here\": supported values: \"Cluster\", \"Namespaced\""},
  };
  for (const Row& row : rows) {
    const auto written = api_.create(row.object);
    ASSERT_FALSE(written.has_value()) << row.object;
    EXPECT_EQ(written.error().code, row.code) << row.object;
    EXPECT_THAT(written.error().message, HasSubstr(row.message));
  }
}

TEST_F(ObjectApiTest, TellsOfUnknownFieldsAsAsked) {
  const char* object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, dta: {k: v}}";
  const auto strict = api_.create(object, {.validation = FieldValidation::kStrict});
  ASSERT_FALSE(strict.has_value());
  EXPECT_EQ(
      strict.error().message,
      "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"dta\"");

  const auto warned = api_.create(object, {.dry_run = true});
  ASSERT_TRUE(warned.has_value());
  EXPECT_THAT(warned->warnings, ElementsAre("unknown field \"dta\""));
  EXPECT_EQ(doc::find(*warned->object, "dta"), nullptr);
  EXPECT_EQ(text(map("a")), "NotFound") << "a dry run writes nothing";

  const auto ignored = api_.create(object, {.validation = FieldValidation::kIgnore});
  ASSERT_TRUE(ignored.has_value());
  EXPECT_TRUE(ignored->warnings.empty());
}

TEST_F(ObjectApiTest, NeedsTheNamespace) {
  Target there = map();
  there.ns = "there";
  const auto create = [&](bool ensure) {
    return api_.wait<Written>([&](auto reply) {
      api_.api().create(there, parse_one("{metadata: {name: a}}"), {.ensure_namespace = ensure}, std::move(reply));
    });
  };
  const auto missing = create(false);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().message, "namespaces \"there\" not found");
  EXPECT_EQ(doc::to_json(missing.error().details), R"({"name":"there","kind":"namespaces"})");
  EXPECT_TRUE(create(true).has_value());
  const auto made = api_.get(api_.target("v1", "Namespace", "there"));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(doc::find_string(**made, "status", "phase"), "Active");
}

TEST_F(ObjectApiTest, NamespacesWaitForTheirFinalizers) {
  ASSERT_TRUE(api_.create("{apiVersion: v1, kind: Namespace, metadata: {name: lab}}"));
  Target ns = api_.target("v1", "Namespace", "lab");
  ASSERT_TRUE(api_.update(ns, "{metadata: {name: lab}, spec: {finalizers: []}}"));
  EXPECT_EQ(text(ns, "spec", "finalizers"), R"(["kubernetes"])") << "a write of the object leaves them alone";
  const auto removed = api_.remove(ns);
  ASSERT_TRUE(removed.has_value());
  EXPECT_FALSE(removed->gone);
  EXPECT_EQ(text(ns, "status", "phase"), "\"Terminating\"");

  Target there = map();
  there.ns = "lab";
  const auto refused = api_.wait<Written>(
      [&](auto reply) { api_.api().create(there, parse_one("{metadata: {generateName: a-}}"), {}, std::move(reply)); });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(doc::to_json(status_of(refused.error())),
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"configmaps \"a-\" is )"
            R"(forbidden: unable to create new content in namespace lab because it is being terminated",)"
            R"("reason":"Forbidden","details":{"name":"a-","kind":"configmaps","causes":[{"reason":)"
            R"("NamespaceTerminating","message":"namespace lab is being terminated","field":"metadata.namespace"}]},)"
            R"("code":403})");

  Target finalize = ns;
  finalize.subresource = "finalize";
  ASSERT_TRUE(api_.update(finalize, "{metadata: {name: lab, labels: {a: b}}, spec: {finalizers: [example.com/a]}}"));
  EXPECT_EQ(text(ns, "spec", "finalizers"), R"(["example.com/a"])");
  EXPECT_EQ(text(ns, "metadata", "labels"), R"({"kubernetes.io/metadata.name":"lab"})")
      << "nothing else is written there";
  ASSERT_TRUE(api_.update(finalize, "{metadata: {name: lab}, spec: {finalizers: []}}"));
  EXPECT_FALSE(api_.get(ns).has_value());
}

TEST_F(ObjectApiTest, SomeNamespacesStay) {
  const auto refused = api_.remove(api_.target("v1", "Namespace", "default"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, 403u);
  EXPECT_EQ(refused.error().message, "namespaces \"default\" is forbidden: this namespace may not be deleted");
}

TEST_F(ObjectApiTest, ConflictsAndAbsencesNameTheirObject) {
  ASSERT_TRUE(api_.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"));
  const auto twice = api_.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(doc::to_json(status_of(twice.error())),
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
            R"("message":"configmaps \"a\" already exists","reason":"AlreadyExists",)"
            R"("details":{"name":"a","kind":"configmaps"},"code":409})");
  const auto stale = api_.update(map("a"), "{metadata: {name: a, resourceVersion: '1'}}");
  ASSERT_FALSE(stale.has_value());
  EXPECT_EQ(stale.error().reason, "Conflict");
  const auto gone = api_.patch(map("b"), cluster::PatchType::kMerge, "{}");
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().message, "configmaps \"b\" not found");
}

TEST_F(ObjectApiTest, PodsAreFilledInAndStayAsTheyAre) {
  const auto pod = api_.create(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, status: {phase: Failed}, spec: {containers: [{name: a, image: "
      "'b:1', env: [{name: ME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}], ports: [{containerPort: 80}]}], "
      "volumes: [{name: v}]}}");
  ASSERT_TRUE(pod.has_value()) << pod.error().message;
  const doc::Value* spec = doc::find(*pod->object, "spec");
  EXPECT_EQ(doc::find_string(*spec, "restartPolicy"), "Always");
  const doc::Value& container = doc::find(*spec, "containers")->get_array()[0];
  EXPECT_EQ(doc::find_string(container, "imagePullPolicy"), "IfNotPresent");
  EXPECT_EQ(doc::find_string(doc::find(container, "ports")->get_array()[0], "protocol"), "TCP");
  EXPECT_NE(doc::find(doc::find(*spec, "volumes")->get_array()[0], "emptyDir"), nullptr);
  EXPECT_EQ(doc::find_string(*pod->object, "status", "phase"), "Pending") << "a client does not say how a pod stands";

  const Target p = api_.target("v1", "Pod", "p");
  EXPECT_TRUE(api_.patch(p, cluster::PatchType::kStrategic, "{spec: {containers: [{name: a, image: 'b:2'}]}}"));
  const auto moved = api_.patch(p, cluster::PatchType::kMerge, "{spec: {nodeName: elsewhere}}");
  ASSERT_FALSE(moved.has_value());
  EXPECT_THAT(moved.error().message, HasSubstr("spec: Forbidden: pod updates may not change fields other than"));
}

TEST_F(ObjectApiTest, TheStatusIsWrittenByItself) {
  ASSERT_TRUE(
      api_.create("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: b}]}}"));
  Target status = api_.target("v1", "Pod", "p");
  EXPECT_TRUE(api_.patch(status, cluster::PatchType::kMerge, "{status: {phase: Running}}"));
  EXPECT_THAT(text(status), HasSubstr(R"("phase":"Pending")"));
  status.subresource = "status";
  EXPECT_TRUE(api_.patch(status, cluster::PatchType::kMerge, "{status: {phase: Running}, spec: {nodeName: x}}"));
  EXPECT_THAT(text(status), HasSubstr(R"("phase":"Running")"));
  EXPECT_THAT(text(status), ::testing::Not(HasSubstr("nodeName")));
}

TEST_F(ObjectApiTest, AStatusIsThereFromTheStart) {
  struct Row {
    const char* object;
    const char* status;
  };
  constexpr const char* kTemplate =
      "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: "
      "b}]}}";
  const std::string deployment =
      fmt::format("{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d}}, spec: {{{}}}}}", kTemplate);
  const std::string replicas =
      fmt::format("{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: r}}, spec: {{{}}}}}", kTemplate);
  for (const auto& [object, status] :
       {Row{deployment.c_str(), "{}"}, Row{replicas.c_str(), R"({"replicas":0})"},
        Row{"{apiVersion: batch/v1, kind: Job, metadata: {name: j}, status: {failed: 3}, spec: {template: {spec: "
            "{restartPolicy: Never, containers: [{name: a, image: b}]}}}}",
            "{}"}}) {
    const auto made = api_.create(object);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    const doc::Value* found = doc::find(*made->object, "status");
    ASSERT_NE(found, nullptr) << object;
    EXPECT_EQ(doc::to_json(*found), status) << object;
  }
  const auto map = api_.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}");
  EXPECT_EQ(doc::find(*map->object, "status"), nullptr) << "a kind without one";
}

TEST_F(ObjectApiTest, WhatIsImmutableStays) {
  ASSERT_TRUE(api_.create("{apiVersion: v1, kind: Secret, metadata: {name: s}, immutable: true, data: {a: YQ==}}"));
  const Target secret = api_.target("v1", "Secret", "s");
  const auto changed = api_.patch(secret, cluster::PatchType::kMerge, "{data: {a: Yg==}}");
  ASSERT_FALSE(changed.has_value());
  EXPECT_THAT(changed.error().message, HasSubstr("data: Forbidden: field is immutable when `immutable` is set"));
  const auto retyped = api_.patch(secret, cluster::PatchType::kMerge, "{type: other}");
  ASSERT_FALSE(retyped.has_value());
  EXPECT_THAT(retyped.error().message, HasSubstr("type: Invalid value: \"other\": field is immutable"));
}

TEST_F(ObjectApiTest, RemovesOneAndMany) {
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(api_.create(std::string("{apiVersion: v1, kind: ConfigMap, metadata: {name: ") + name + "}}"));
  }
  ASSERT_TRUE(api_.patch(map("c"), cluster::PatchType::kMerge, "{metadata: {finalizers: [example.com/wait]}}"));
  EXPECT_TRUE(api_.remove(map("a"), {{.dry_run = true}})->gone);
  EXPECT_TRUE(api_.remove(map("a"))->gone);
  const auto other = api_.remove(map("b"), {{.resource_version = "1"}});
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, 409u);
  EXPECT_FALSE(api_.remove(map("c"))->gone) << "it waits for its finalizer";
  const auto all =
      api_.wait<cluster::List>([&](auto reply) { api_.api().remove_all(map(), {}, {}, std::move(reply)); });
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->items.size(), 2u);
  EXPECT_EQ(api_.list(map())->items.size(), 1u);
}

constexpr const char* kLamps = R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: lamps, kind: Lamp}
  versions:
  - name: v1beta1
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [watts]
            properties: {watts: {type: integer, maximum: 100}, color: {type: string, default: white}}
          status: {type: object, properties: {on: {type: boolean}}}
)";

class CustomKindsTest : public ObjectApiTest {
 protected:
  CustomKindsTest() {
    const auto made = api_.create(kLamps);
    EXPECT_TRUE(made.has_value()) << made.error().message;
  }
};

TEST_F(CustomKindsTest, AreServedAndSaySo) {
  const auto definition =
      api_.get(api_.target("apiextensions.k8s.io/v1", "CustomResourceDefinition", "lamps.example.com"));
  EXPECT_THAT(doc::to_json(**definition), HasSubstr(R"("type":"Established","status":"True")"));
  EXPECT_THAT(doc::to_json(**definition), HasSubstr(R"("storedVersions":["v1"])"));
  for (const Kinds::Group& group : api_.kinds().groups()) {
    if (group.name != "example.com") continue;
    EXPECT_THAT(group.versions, ElementsAre("v1", "v1beta1"));
  }
}

TEST_F(CustomKindsTest, ArePrunedFilledAndChecked) {
  const auto lamp =
      api_.create("{apiVersion: example.com/v1, kind: Lamp, metadata: {name: a}, spec: {watts: 60, x: 1}}");
  ASSERT_TRUE(lamp.has_value()) << lamp.error().message;
  EXPECT_THAT(lamp->warnings, ElementsAre("unknown field \"spec.x\""));
  EXPECT_EQ(doc::to_json(*doc::find(*lamp->object, "spec")), R"({"watts":60,"color":"white"})");

  const auto bright = api_.create("{apiVersion: example.com/v1, kind: Lamp, metadata: {name: b}, spec: {watts: 600}}");
  ASSERT_FALSE(bright.has_value());
  EXPECT_EQ(
      bright.error().message,
      "Lamp.example.com \"b\" is invalid: spec.watts: Invalid value: 600: spec.watts in body should be less than or "
      "equal to 100");
  const Target a = api_.target("example.com/v1", "Lamp", "a");
  const auto blind = api_.update(a, "{apiVersion: example.com/v1, kind: Lamp, metadata: {name: a}, spec: {watts: 40}}");
  ASSERT_FALSE(blind.has_value());
  EXPECT_THAT(blind.error().message, HasSubstr("metadata.resourceVersion: Invalid value: 0: must be specified"));

  const auto older = api_.get(api_.target("example.com/v1beta1", "Lamp", "a"));
  ASSERT_TRUE(older.has_value());
  EXPECT_EQ(doc::find_string(**older, "apiVersion"), "example.com/v1beta1");
}

TEST_F(CustomKindsTest, GoWithTheirObjectsWhenTheirDefinitionGoes) {
  ASSERT_TRUE(api_.create("{apiVersion: example.com/v1, kind: Lamp, metadata: {name: a}, spec: {watts: 1}}"));
  ASSERT_TRUE(
      api_.create("{apiVersion: example.com/v1, kind: Lamp, metadata: {name: b, finalizers: [example.com/f]}, "
                  "spec: {watts: 1}}"));
  const Target definition = api_.target("apiextensions.k8s.io/v1", "CustomResourceDefinition", "lamps.example.com");
  const Target b = api_.target("example.com/v1", "Lamp", "b");
  EXPECT_FALSE(api_.remove(definition)->gone);
  EXPECT_EQ(api_.list(b)->items.size(), 1u) << "the one that waits";
  ASSERT_TRUE(api_.patch(b, cluster::PatchType::kMerge, "{metadata: {finalizers: null}}"));
  api_.store().run();
  EXPECT_EQ(api_.get(definition).error().code, 404u);
  EXPECT_EQ(api_.kinds().find_kind("example.com/v1", "Lamp"), nullptr);
}

TEST_F(CustomKindsTest, OfABuiltInKindChangeNothing) {
  const KindPtr before = api_.kinds().find_kind("argoproj.io/v1alpha1", "Workflow");
  const auto made = api_.create(
      "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: workflows.argoproj.io}, "
      "spec: {group: argoproj.io, scope: Namespaced, names: {plural: workflows, kind: Workflow}, versions: [{name: "
      "v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}");
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(api_.kinds().find_kind("argoproj.io/v1alpha1", "Workflow"), before);
}

}  // namespace
}  // namespace tiphys::objects
