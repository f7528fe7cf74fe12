#include "objects/admission.h"

#include <gmock/gmock.h>

#include "objects/quota_rules.h"
#include "objects/testing.h"

namespace tiphys::objects {
namespace {

using ::testing::HasSubstr;

class AdmissionTest : public ::testing::Test {
 protected:
  void make(std::string_view yaml) {
    const auto made = api_.create(yaml);
    ASSERT_TRUE(made.has_value()) << yaml << "\n" << made.error().message;
  }
  std::string refused(std::string_view yaml) {
    const auto made = api_.create(yaml);
    if (made) return "made";
    EXPECT_EQ(made.error().code, 403u) << made.error().message;
    EXPECT_EQ(made.error().reason, "Forbidden");
    return made.error().message;
  }
  /// A member of an object as JSON.
  template <typename... Keys>
  std::string text(const char* api_version, const char* kind, const char* name, const Keys&... path) {
    const auto object = api_.get(api_.target(api_version, kind, name));
    const doc::Value* found = object ? doc::find(**object, path...) : nullptr;
    return found ? doc::to_json(*found) : "none";
  }
  std::string used() {
    api_.store().run();
    return text("v1", "ResourceQuota", "q", "status", "used");
  }
  void quota(const std::string& spec) {
    make("{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: " + spec + "}");
    api_.store().run();
  }
  static std::string pod(const std::string& name, const std::string& resources = "{}", const std::string& more = "") {
    return "{apiVersion: v1, kind: Pod, metadata: {name: " + name + "}, spec: {" + more +
           "containers: [{name: main, image: x, resources: " + resources + "}]}}";
  }
  void end_pod(const char* name) {
    Target status = api_.target("v1", "Pod", name);
    status.subresource = "status";
    ASSERT_TRUE(api_.patch(status, cluster::PatchType::kMerge, "{status: {phase: Succeeded}}"));
  }

  TestApi api_;
};

TEST_F(AdmissionTest, RangesFillInWhatIsMissing) {
  make(
      "{apiVersion: v1, kind: LimitRange, metadata: {name: r}, spec: {limits: [{type: Container, max: {memory: 2Gi}, "
      "default: {cpu: 500m, memory: 1Gi}, defaultRequest: {cpu: 100m}, min: {cpu: 50m}}]}}");
  EXPECT_EQ(text("v1", "LimitRange", "r", "spec", "limits"),
            R"([{"type":"Container","max":{"memory":"2Gi"},"default":{"cpu":"500m","memory":"1Gi"},)"
            R"("defaultRequest":{"cpu":"100m","memory":"1Gi"},"min":{"cpu":"50m"}}])");
  make(pod("a"));
  EXPECT_THAT(text("v1", "Pod", "a", "spec", "containers"),
              HasSubstr(R"("resources":{"requests":{"cpu":"100m","memory":"1Gi"},"limits":{"cpu":"500m",)"
                        R"("memory":"1Gi"}})"));
  EXPECT_EQ(
      text("v1", "Pod", "a", "metadata", "annotations", "kubernetes.io/limit-ranger"),
      R"("LimitRanger plugin set: cpu, memory request for container main; cpu, memory limit for container main")");
  make(pod("b", "{limits: {cpu: 400m, memory: 2Gi}}"));
  EXPECT_THAT(text("v1", "Pod", "b", "spec", "containers"), HasSubstr(R"("requests":{"cpu":"400m","memory":"2Gi"})"))
      << "what is limited is asked for";
}

TEST_F(AdmissionTest, RangesRefuseWhatIsBeyondThem) {
  make(
      "{apiVersion: v1, kind: LimitRange, metadata: {name: r}, spec: {limits: [{type: Container, min: {cpu: 100m}, "
      "max: {cpu: '2'}, default: {cpu: 500m}, defaultRequest: {cpu: 200m}, maxLimitRequestRatio: {cpu: '4'}}, "
      "{type: Pod, max: {memory: 1Gi}}, {type: PersistentVolumeClaim, min: {storage: 1Gi}, max: {storage: 2Gi}}]}}");
  const std::string fine = "limits: {cpu: 500m, memory: 1Gi}";
  struct Row {
    std::string object;
    const char* message;
  };
  const auto claim = [](const char* size) {
    return std::string(
               "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {accessModes: "
               "[ReadWriteOnce], resources: {requests: {storage: ") +
           size + "}}}}";
  };
  const Row rows[] = {
      {pod("a", "{" + fine + ", requests: {cpu: 50m}}"),
       "pods \"a\" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, cpu max limit to "
       "request ratio per Container is 4, but provided ratio is 10.000000]"},
      {pod("a", "{limits: {cpu: 3, memory: 1Gi}, requests: {cpu: 1}}"),
       "pods \"a\" is forbidden: maximum cpu usage per Container is 2, but limit is 3"},
      {pod("a"), "pods \"a\" is forbidden: maximum memory usage per Pod is 1Gi.  No limit is specified"},
      {pod("a", "{limits: {cpu: 500m, memory: 1.5Gi}}"),
       "pods \"a\" is forbidden: maximum memory usage per Pod is 1Gi, but limit is 1536Mi"},
      {claim("512Mi"),
       "persistentvolumeclaims \"c\" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request "
       "is 512Mi"},
      {claim("3Gi"),
       "persistentvolumeclaims \"c\" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request "
       "is 3Gi"},
  };
  for (const Row& row : rows) EXPECT_EQ(refused(row.object), row.message);
  make(pod("a", "{" + fine + "}"));
  make(claim("1Gi"));
}

TEST_F(AdmissionTest, QuotasCountAndRefuse) {
  quota("{hard: {pods: 2, requests.cpu: 1500m, limits.memory: 2Gi, count/configmaps: 3, services: 1}}");
  EXPECT_EQ(used(), R"({"count/configmaps":"0","limits.memory":"0","pods":"0","requests.cpu":"0","services":"0"})");
  EXPECT_EQ(refused(pod("a")),
            "pods \"a\" is forbidden: failed quota: q: must specify limits.memory for: main; "
            "requests.cpu for: main");
  const std::string resources = "{requests: {cpu: 1}, limits: {memory: 1Gi}}";
  make(pod("a", resources));
  EXPECT_EQ(used(), R"({"count/configmaps":"0","limits.memory":"1Gi","pods":"1","requests.cpu":"1","services":"0"})");
  EXPECT_EQ(refused(pod("b", "{requests: {cpu: 1}, limits: {memory: 1536Mi}}")),
            "pods \"b\" is forbidden: exceeded quota: q, requested: limits.memory=1536Mi,requests.cpu=1, used: "
            "limits.memory=1Gi,requests.cpu=1, limited: limits.memory=2Gi,requests.cpu=1500m");
  make(pod("b", "{requests: {cpu: 250m}, limits: {memory: 512Mi}}"));
  EXPECT_EQ(refused(pod("c", "{requests: {cpu: 250m}, limits: {memory: 512Mi}}")),
            "pods \"c\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2");
  EXPECT_EQ(used(),
            R"({"count/configmaps":"0","limits.memory":"1536Mi","pods":"2","requests.cpu":"1250m","services":"0"})");
  end_pod("a");
  EXPECT_EQ(used(),
            R"({"count/configmaps":"0","limits.memory":"512Mi","pods":"1","requests.cpu":"250m","services":"0"})");
  ASSERT_TRUE(api_.remove(api_.target("v1", "Pod", "b"), {{.grace_seconds = 0}}));
  EXPECT_EQ(used(), R"({"count/configmaps":"0","limits.memory":"0","pods":"0","requests.cpu":"0","services":"0"})");
}

TEST_F(AdmissionTest, NothingIsCountedThatIsNotMade) {
  quota("{hard: {count/configmaps: 2}}");
  const char* map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";
  ASSERT_TRUE(api_.create(map, {.dry_run = true}));
  EXPECT_EQ(used(), R"({"count/configmaps":"0"})");
  make(map);
  EXPECT_FALSE(api_.create(map)) << "it exists";
  EXPECT_EQ(used(), R"({"count/configmaps":"1"})");
}

TEST_F(AdmissionTest, RacingCreatesDoNotOvershoot) {
  quota("{hard: {count/configmaps: 3}}");
  int made = 0, refusals = 0;
  for (int i = 0; i < 10; ++i) {
    api_.api().create(api_.target("v1", "ConfigMap"), parse_one("{metadata: {generateName: c-}}"), {},
                      [&](Outcome<Written> written) { ++(written ? made : refusals); });
  }
  api_.store().run();
  EXPECT_EQ(made, 3);
  EXPECT_EQ(refusals, 7);
  EXPECT_EQ(used(), R"({"count/configmaps":"3"})");
}

TEST_F(AdmissionTest, QuotasHaveScopes) {
  make("{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 1000}");
  quota(
      "{hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: "
      "[high]}]}}");
  make(
      "{apiVersion: v1, kind: ResourceQuota, metadata: {name: e}, spec: {hard: {pods: 1}, scopes: [BestEffort, "
      "Terminating]}}");
  api_.store().run();
  make(pod("a"));
  make(pod("b", "{}", "priorityClassName: high, "));
  EXPECT_THAT(refused(pod("c", "{}", "priorityClassName: high, ")), HasSubstr("exceeded quota: q, requested: pods=1"));
  make(pod("d", "{}", "activeDeadlineSeconds: 10, "));
  EXPECT_THAT(refused(pod("e", "{}", "activeDeadlineSeconds: 10, ")), HasSubstr("exceeded quota: e"));
  make(pod("f", "{requests: {cpu: 1}}", "activeDeadlineSeconds: 10, "));
}

TEST_F(AdmissionTest, QuotasCountClaimsServicesAndCustomKinds) {
  make(
      "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: lamps.example.com}, "
      "spec: "
      "{group: example.com, scope: Namespaced, names: {plural: lamps, kind: Lamp}, versions: [{name: v1, served: true, "
      "storage: true, schema: {openAPIV3Schema: {type: object}}}]}}");
  api_.store().run();
  quota(
      "{hard: {requests.storage: 3Gi, fast.storageclass.storage.k8s.io/persistentvolumeclaims: 1, "
      "services.nodeports: 1, count/lamps.example.com: 1, count/workflows.argoproj.io: 1}}");
  const auto claim = [](const char* name, const char* spec) {
    return std::string("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ") + name +
           "}, spec: {accessModes: [ReadWriteOnce], " + spec + "}}";
  };
  make(claim("a", "storageClassName: fast, resources: {requests: {storage: 1Gi}}"));
  EXPECT_THAT(refused(claim("b", "storageClassName: fast, resources: {requests: {storage: 1Gi}}")),
              HasSubstr("requested: fast.storageclass.storage.k8s.io/persistentvolumeclaims=1"));
  EXPECT_THAT(
      refused(claim("b", "resources: {requests: {storage: 2.5Gi}}")),
      HasSubstr("requested: requests.storage=2560Mi, used: requests.storage=1Gi, limited: requests.storage=3Gi"));
  make("{apiVersion: example.com/v1, kind: Lamp, metadata: {name: a}}");
  EXPECT_EQ(refused("{apiVersion: example.com/v1, kind: Lamp, metadata: {name: b}}"),
            "lamps.example.com \"b\" is forbidden: exceeded quota: q, requested: count/lamps.example.com=1, used: "
            "count/lamps.example.com=1, limited: count/lamps.example.com=1");
}

TEST_F(AdmissionTest, UsageIsCountedAnewWhenAQuotaChanges) {
  make("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
  quota("{hard: {count/configmaps: 5}}");
  EXPECT_EQ(used(), R"({"count/configmaps":"1"})") << "what was there before";
  ASSERT_TRUE(api_.patch(api_.target("v1", "ResourceQuota", "q"), cluster::PatchType::kMerge,
                         "{spec: {hard: {count/configmaps: '1', count/secrets: '2'}}}"));
  EXPECT_EQ(used(), R"({"count/configmaps":"1","count/secrets":"0"})");
  EXPECT_THAT(refused("{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}"), HasSubstr("exceeded quota"));
}

TEST_F(AdmissionTest, PodsHaveThePriorityOfTheirClass) {
  make(pod("plain"));
  EXPECT_EQ(text("v1", "Pod", "plain", "spec", "priority"), "0");
  EXPECT_EQ(text("v1", "Pod", "plain", "spec", "preemptionPolicy"), "\"PreemptLowerPriority\"");
  make(
      "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: low}, value: -5, globalDefault: true, "
      "preemptionPolicy: Never}");
  make(pod("a"));
  EXPECT_EQ(text("v1", "Pod", "a", "spec", "priorityClassName"), "\"low\"");
  EXPECT_EQ(text("v1", "Pod", "a", "spec", "priority"), "-5");
  EXPECT_EQ(text("v1", "Pod", "a", "spec", "preemptionPolicy"), "\"Never\"");
  EXPECT_EQ(refused(pod("b", "{}", "priorityClassName: none, ")),
            "pods \"b\" is forbidden: no PriorityClass with name none was found");
  make(
      "{apiVersion: v1, kind: Pod, metadata: {name: step, labels: {workflows.argoproj.io/workflow: w}}, spec: "
      "{priorityClassName: none, containers: [{name: main, image: x}]}}");
  EXPECT_EQ(text("v1", "Pod", "step", "spec", "priority"), "0");
  EXPECT_EQ(refused(pod("b", "{}", "priority: 7, ")),
            "pods \"b\" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority "
            "admission controller computed -5 from the given PriorityClass name");
  EXPECT_EQ(refused("{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: other}, value: 1, "
                    "globalDefault: true}"),
            "priorityclasses.scheduling.k8s.io \"other\" is forbidden: PriorityClass low is already marked as default. "
            "Only one default can exist");
}

TEST_F(AdmissionTest, RefusesBadRangesQuotasAndClasses) {
  struct Row {
    const char* object;
    const char* message;
  };
  const Row rows[] = {
      {"{apiVersion: v1, kind: LimitRange, metadata: {name: a}, spec: {limits: [{type: Container, min: {cpu: 2}, max: "
       "{cpu: 1}}]}}",
       "spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1"},
      {"{apiVersion: v1, kind: LimitRange, metadata: {name: a}, spec: {limits: [{type: Pod, default: {cpu: 1}}]}}",
       "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"},
      {"{apiVersion: v1, kind: LimitRange, metadata: {name: a}, spec: {limits: [{type: House}]}}",
       "spec.limits[0].type: Invalid value: \"House\": must be a standard limit type or fully qualified"},
      {"{apiVersion: v1, kind: LimitRange, metadata: {name: a}, spec: {limits: [{type: PersistentVolumeClaim}]}}",
       "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was "
       "provided"},
      {"{apiVersion: v1, kind: ResourceQuota, metadata: {name: a}, spec: {hard: {pods: 1.5}}}",
       "spec.hard[pods]: Invalid value: \"1500m\": must be an integer"},
      {"{apiVersion: v1, kind: ResourceQuota, metadata: {name: a}, spec: {hard: {lamps: 1}}}",
       "spec.hard[lamps]: Invalid value: \"lamps\": must be a standard resource for quota"},
      {"{apiVersion: v1, kind: ResourceQuota, metadata: {name: a}, spec: {hard: {services: 1}, scopes: [BestEffort]}}",
       "unsupported scope applied to resource"},
      {"{apiVersion: v1, kind: ResourceQuota, metadata: {name: a}, spec: {hard: {pods: 1}, scopes: [BestEffort, "
       "NotBestEffort]}}",
       "conflicting scopes"},
      {"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: system-a}, value: 1}",
       "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "
       "system-a is not a known system priority class"},
      {"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: a}, value: 1000000001}",
       "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"},
  };
  for (const Row& row : rows) {
    const auto made = api_.create(row.object);
    ASSERT_FALSE(made) << row.object;
    EXPECT_EQ(made.error().code, 422u);
    EXPECT_THAT(made.error().message, HasSubstr(row.message));
  }
  for (const doc::Value& one : system_priority_classes()) {
    doc::Value object = one;
    object.get_object()["apiVersion"] = "scheduling.k8s.io/v1";
    object.get_object()["kind"] = "PriorityClass";
    EXPECT_TRUE(api_.create(doc::to_json(object)));
  }
}

}  // namespace
}  // namespace tiphys::objects
