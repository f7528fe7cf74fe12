// What a pod's fields come to for the runtime.
#include <gmock/gmock.h>

#include "node/agent/agent_testing.h"

namespace tiphys::node {
namespace {

using testing::AgentTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct EnvCase {
  std::string name;
  std::string env;       ///< JSON of spec.containers[0].env
  std::string expected;  ///< of the variable X; "-": it is not set
  std::string error;     ///< of the pod, part of it
};

class AgentEnv : public AgentTest, public ::testing::WithParamInterface<EnvCase> {};

TEST_P(AgentEnv, Resolves) {
  cluster_.put(cluster::kConfigMaps, doc::parse_json(R"({"metadata":{"name":"cm","namespace":"default"},
      "data":{"k":"from-map"}})")
                                         .value());
  cluster_.put(cluster::kSecrets, doc::parse_json(R"({"metadata":{"name":"s","namespace":"default"},
      "data":{"k":"ZnJvbS1zZWNyZXQ="}})")
                                      .value());
  doc::Object container{{"env", doc::parse_json(GetParam().env).value()}};
  if (GetParam().env.starts_with('{')) container = doc::parse_json(GetParam().env).value().as_object();
  cluster_.put(cluster::kPods, pod("a", std::move(container), {}, {{"note", "annotated"}}));
  if (!GetParam().error.empty()) {
    EXPECT_THAT(std::string(doc::find_string(terminated(ended("a")), "message")), HasSubstr(GetParam().error));
    return;
  }
  const auto& env = begun("a").spec.env;
  const auto found = std::ranges::find(env, "X", [](const auto& entry) { return entry.first; });
  EXPECT_EQ(found == env.end() ? "-" : found->second, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Agent, AgentEnv,
    ::testing::Values(
        EnvCase{"Value", R"([{"name":"X","value":"v"}])", "v", ""}, EnvCase{"Empty", R"([{"name":"X"}])", "", ""},
        EnvCase{"RefersToAnEarlierOne", R"j([{"name":"A","value":"1"},{"name":"X","value":"$(A)-$(B)-$$(A)"}])j",
                "1-$(B)-$(A)", ""},
        EnvCase{"ConfigMapKey", R"([{"name":"X","valueFrom":{"configMapKeyRef":{"name":"cm","key":"k"}}}])", "from-map",
                ""},
        EnvCase{"SecretKeyIsDecoded", R"([{"name":"X","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}])",
                "from-secret", ""},
        EnvCase{"Field", R"([{"name":"X","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}])", "a", ""},
        EnvCase{"AnnotationField",
                R"([{"name":"X","valueFrom":{"fieldRef":{"fieldPath":"metadata.annotations['note']"}}}])", "annotated",
                ""},
        EnvCase{"OptionalKeyIsLeftOut",
                R"([{"name":"X","valueFrom":{"configMapKeyRef":{"name":"cm","key":"no","optional":true}}}])", "-", ""},
        EnvCase{"MissingKey", R"([{"name":"X","valueFrom":{"configMapKeyRef":{"name":"cm","key":"no"}}}])", "",
                "couldn't find key no in ConfigMap \"cm\""},
        EnvCase{"MissingSecret", R"([{"name":"X","valueFrom":{"secretKeyRef":{"name":"none","key":"k"}}}])", "",
                "Secret \"none\" not found"},
        EnvCase{"FromAWholeMap", R"j({"envFrom":[{"prefix":"","configMapRef":{"name":"cm"}}],
                                     "env":[{"name":"X","value":"$(k)"}]})j",
                "from-map", ""},
        EnvCase{"Resource",
                R"j({"resources":{"limits":{"cpu":"1500m"}},
                     "env":[{"name":"X","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}}]})j",
                "2", ""},
        EnvCase{"UnsupportedSource", R"([{"name":"X","valueFrom":{"oracleRef":{"key":"k"}}}])", "",
                "this valueFrom is not supported"}),
    [](const auto& test) { return test.param.name; });

TEST_F(AgentTest, CommandsMayHoldVariables) {
  doc::Object container = doc::parse_json(R"j({"env":[{"name":"A","value":"1"}],"command":["say","$(A)"],
      "args":["$(A)$(B)","$$(A)"]})j")
                              .value()
                              .as_object();
  cluster_.put(cluster::kPods, pod("a", std::move(container)));
  EXPECT_THAT(begun("a").spec.command, ElementsAre("say", "1"));
  EXPECT_THAT(begun("a").spec.args, ElementsAre("1$(B)", "$(A)"));
}

struct BadPodCase {
  std::string name;
  std::string container;  ///< JSON
  std::string spec;       ///< JSON
  std::string message;    ///< part of what the pod says
};

class AgentBadPod : public AgentTest, public ::testing::WithParamInterface<BadPodCase> {};

TEST_P(AgentBadPod, Says) {
  cluster_.put(cluster::kPods, pod("a", doc::parse_json(GetParam().container).value().as_object(),
                                   doc::parse_json(GetParam().spec).value().as_object()));
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_THAT(doc::to_json(done), HasSubstr(GetParam().message));
  EXPECT_TRUE(runtime_.started.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Agent, AgentBadPod,
    ::testing::Values(
        BadPodCase{"MountWithoutVolume", R"({"volumeMounts":[{"name":"v","mountPath":"/v"}]})", "{}",
                   "volume \\\"v\\\" of a mount does not exist in the pod"},
        BadPodCase{"MissingConfigMapVolume", "{}", R"({"volumes":[{"name":"v","configMap":{"name":"no"}}]})",
                   "ConfigMap \\\"no\\\" not found"},
        BadPodCase{"HostPathOfAnotherType", "{}",
                   R"({"volumes":[{"name":"v","hostPath":{"path":"/usr","type":"File"}}]})",
                   "hostPath type check failed"},
        BadPodCase{"HostPathThatIsMissing", "{}",
                   R"({"volumes":[{"name":"v","hostPath":{"path":"/no/such","type":"Directory"}}]})",
                   "hostPath type check failed"},
        BadPodCase{"UnsupportedVolume", "{}", R"({"volumes":[{"name":"v","nfs":{"server":"s","path":"/"}}]})",
                   "only a cluster mounts a volume of type nfs; this machine has emptyDir"},
        BadPodCase{"UnsupportedProjection", "{}",
                   R"({"volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}]})",
                   "there are tokens of service accounts while the plane serves its API: run it by `tiphys up`"},
        BadPodCase{"UnknownProjection", "{}",
                   R"({"volumes":[{"name":"v","projected":{"sources":[{"clusterTrustBundle":{"path":"t"}}]}}]})",
                   "only a cluster has the source clusterTrustBundle of a projected volume"},
        BadPodCase{"BlockDevice", R"({"volumeDevices":[{"name":"v","devicePath":"/dev/x"}]})", "{}",
                   "only a cluster has volumeDevices"},
        BadPodCase{"BadQuantity", R"({"resources":{"limits":{"memory":"lots"}}})", "{}", "lots"},
        BadPodCase{"MoreThanTheMachine", R"({"resources":{"requests":{"cpu":"64"}}})", "{}", "Unschedulable"}),
    [](const auto& test) { return test.param.name; });

TEST_F(AgentTest, LimitsAndSecurityReachTheRuntime) {
  cluster_.put(cluster::kPods,
               pod("a",
                   doc::parse_json(R"({"resources":{"limits":{"memory":"64Mi","cpu":"500m"}},"workingDir":"/w",
                   "securityContext":{"runAsUser":7,"readOnlyRootFilesystem":true}})")
                       .value()
                       .as_object(),
                   doc::parse_json(R"({"securityContext":{"runAsUser":5,"runAsGroup":6}})").value().as_object()));
  const ContainerSpec& spec = begun("a").spec;
  EXPECT_EQ(spec.memory_bytes, 64 << 20);
  EXPECT_EQ(spec.cpus, 0.5);
  EXPECT_EQ(spec.run_as_user, 7);
  EXPECT_EQ(spec.run_as_group, 6);
  EXPECT_TRUE(spec.read_only_root);
  EXPECT_EQ(spec.working_dir, "/w");
}

}  // namespace
}  // namespace tiphys::node
