#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/fields.h"
#include "base/quantity.h"

namespace tiphys::api {
namespace {

void check_int_or_string(const Place& place, Unread&) {
  read_int_or_string(place);
}

void check_scheme(const Place& place, Unread&) {
  std::string scheme;
  read(place, scheme);
  if (!scheme.empty() && scheme != "HTTP" && scheme != "HTTPS") {
    place.error(fmt::format("{} must be HTTP or HTTPS", place.name()));
  }
}

template <const auto& fields>
void check_list(const Place& place, Unread&) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) check_object(place.element(i, array[i]), fields);
}

constexpr Shape kConfigMapKey = kubernetes("ConfigMapKeySelector");
constexpr Shape kSecretKey = kubernetes("SecretKeySelector");
constexpr Shape kFieldSelector = kubernetes("ObjectFieldSelector");
constexpr Shape kResourceSelector = kubernetes("ResourceFieldSelector");
constexpr Shape kConfigMapEnv = kubernetes("ConfigMapEnvSource");
constexpr Shape kSecretEnv = kubernetes("SecretEnvSource");
constexpr Shape kResourceClaims = kubernetes("ResourceClaim", Shape::Around::kList);
constexpr Shape kSecurityContext = kubernetes("SecurityContext");
constexpr Shape kContainerPorts = kubernetes("ContainerPort", Shape::Around::kList);
constexpr Shape kResizePolicies = kubernetes("ContainerResizePolicy", Shape::Around::kList);
constexpr Shape kRestartRules = kubernetes("ContainerRestartRule", Shape::Around::kList);
constexpr Shape kVolumeDevices = kubernetes("VolumeDevice", Shape::Around::kList);
constexpr Shape kQuantities{Shape::Type::kText, Shape::Around::kMap};

constexpr Field<Unread> kFileKeyFields[] = {
    {"volumeName", Handling::kRead, check_as<std::string>,
     "The volume, an emptyDir, which the container need not mount.", &kString,
     "Lint.KeepsTheOriginalsRulesOfTemplates"},
    {"path", Handling::kRead, check_as<std::string>, "The file in it, with lines NAME='value'.", &kString,
     "EnvFile.ReadsWhatAShellWouldRead"},
    {"key", Handling::kRead, check_as<std::string>, "The NAME whose value the variable gets.", &kString,
     "EnvFile.ReadsWhatAShellWouldRead"},
    {"optional", Handling::kRead, check_as<bool>, "The variable is left out when the file has no such key.", &kBoolean,
     "AgentFileKeys.AreReadWhenTheirContainerStarts"},
};
constexpr FieldTable kFileKeyTable("FileKeySelector", kFileKeyFields);

constexpr Field<Unread> kEnvVarSourceFields[] = {
    {"configMapKeyRef", Handling::kRead, nullptr, "A key of a ConfigMap.", &kConfigMapKey, "AgentEnv.Resolves"},
    {"secretKeyRef", Handling::kRead, nullptr, "A key of a Secret.", &kSecretKey, "AgentEnv.Resolves"},
    {"fieldRef", Handling::kRead, nullptr, "A field of the pod.", &kFieldSelector, "AgentEnv.Resolves"},
    {"resourceFieldRef", Handling::kRead, nullptr, "What the container asks for, or may use at most.",
     &kResourceSelector, "PodFields.ResourcesAreInUnitsOfTheDivisor"},
    {"fileKeyRef", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kFileKeyFields); },
     "A key of a file that an init container has written.", &kObject<kFileKeyTable>,
     "AgentFileKeys.AreReadWhenTheirContainerStarts"},
};
constexpr FieldTable kEnvVarSourceTable("EnvVarSource", kEnvVarSourceFields);

constexpr Field<Unread> kEnvVarFields[] = {
    {"name", Handling::kRead, check_as<std::string>, "The variable.", &kString},
    {"value", Handling::kRead, check_as<std::string>, "Its value; $(NAME) is an earlier variable.", &kString,
     "AgentEnv.Resolves"},
    {"valueFrom", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kEnvVarSourceFields); },
     "Where its value comes from instead.", &kObject<kEnvVarSourceTable>},
};
constexpr FieldTable kEnvVarTable("EnvVar", kEnvVarFields);

constexpr Field<Unread> kEnvFromFields[] = {
    {"prefix", Handling::kRead, check_as<std::string>, "What the variables' names begin with.", &kString},
    {"configMapRef", Handling::kRead, nullptr, "All keys of a ConfigMap.", &kConfigMapEnv, "AgentEnv.Resolves"},
    {"secretRef", Handling::kRead, nullptr, "All keys of a Secret.", &kSecretEnv, "AgentEnv.Resolves"},
};
constexpr FieldTable kEnvFromTable("EnvFromSource", kEnvFromFields);

constexpr Field<Unread> kVolumeMountFields[] = {
    {"name", Handling::kRead, check_as<std::string>, "The volume.", &kString},
    {"mountPath", Handling::kRead, check_as<std::string>, "Where the container sees it.", &kString,
     "AgentTest.VolumesBecomeMounts"},
    {"subPath", Handling::kRead, check_as<std::string>, "A file or folder of it instead of the whole.", &kString,
     "AgentTest.VolumesBecomeMounts"},
    {"subPathExpr", Handling::kRead, check_as<std::string>, "The same, with variables of the environment: $(NAME).",
     &kString, "PodFields.SubPathsMayHoldVariables"},
    {"readOnly", Handling::kRead, check_as<bool>, "The container cannot write to it.", &kBoolean,
     "ProcessRuntime.ReadOnlyVolumesCannotBeWritten"},
    {"recursiveReadOnly", Handling::kCluster, nullptr, "What is mounted inside is read-only too.", &kString},
    {"mountPropagation", Handling::kCluster, nullptr, "Whether later mounts are seen on both sides.", &kString},
    {"bindMountOptions", Handling::kCluster, nullptr, "Any of noexec, nodev, nosuid.", &kStrings},
};
}  // namespace
constexpr FieldTable kVolumeMountTable("VolumeMount", kVolumeMountFields);
namespace {

void check_pull_policy(const Place& place, Unread&) {
  std::string policy;
  read(place, policy);
  const bool known = std::ranges::find(kPullPolicies, policy) != std::end(kPullPolicies);
  if (policy.empty() || known || policy.find("{{") != policy.npos) return;
  place.error(fmt::format("{}: \"{}\" is none of Always, IfNotPresent, Never", place.name(), policy));
}

/// Always, of an init container. The rest is a cluster's.
void check_restart_policy(const Place& place, Unread&) {
  std::string policy;
  read(place, policy);
  const bool keeps_running = policy == "Always" && place.name().find("initContainers[") != std::string::npos;
  if (!keeps_running && !policy.empty()) detail::outside_of_cluster(place, "restartPolicy");
}

void check_quantities(const Place& place, Unread&) {
  if (!expect_object(place)) return;
  for (const auto& [name, value] : place.value().get_object()) {
    const Place each = place.member(name, value);
    const std::string text = read_scalar(each);
    if (text.empty() || text.find("{{") != text.npos) continue;
    if (const auto quantity = parse_quantity(text); !quantity) {
      each.error(fmt::format("{}: {}", each.name(), quantity.error().message));
    }
  }
}

constexpr Field<Unread> kResourcesFields[] = {
    {"limits", Handling::kRead, check_quantities, "What it may use at most: cpu, memory.", &kQuantities,
     "ContainerRuntimeTest.LimitsAreSeenInside"},
    {"requests", Handling::kRead, check_quantities,
     "What the machine must have left before the pod starts: cpu, memory.", &kQuantities,
     "AgentTest.RequestsAreAdmittedUpToTheMachine"},
    {"claims", Handling::kCluster, nullptr, "Devices claimed for the pod.", &kResourceClaims},
};
constexpr FieldTable kResourcesTable("ResourceRequirements", kResourcesFields);

constexpr Field<Unread> kExecFields[] = {
    {"command", Handling::kRead, check_as<std::vector<std::string>>, "The program and its arguments, without a shell.",
     &kStrings},
};
constexpr FieldTable kExecTable("ExecAction", kExecFields);

constexpr Field<Unread> kHttpHeaderFields[] = {
    {"name", Handling::kRead, check_as<std::string>, "Its name.", &kString},
    {"value", Handling::kRead, check_as<std::string>, "Its value.", &kString},
};
constexpr FieldTable kHttpHeaderTable("HTTPHeader", kHttpHeaderFields);

constexpr Field<Unread> kHttpGetFields[] = {
    {"path", Handling::kRead, check_as<std::string>, "What is asked for.", &kString},
    {"port", Handling::kRead, check_int_or_string, "Where: a number, or the name of one of the container's ports.",
     &kIntOrString},
    {"host", Handling::kRead, check_as<std::string>, "Whom; without it the pod.", &kString},
    {"scheme", Handling::kRead, check_scheme, "HTTP, or HTTPS whose certificate is not verified.", &kString,
     "test_a_daemon_is_probed_by_https"},
    {"httpHeaders", Handling::kRead, check_list<kHttpHeaderFields>, "Headers of the request.",
     &kObject<kHttpHeaderTable, Shape::Around::kList>},
};
constexpr FieldTable kHttpGetTable("HTTPGetAction", kHttpGetFields);

constexpr Field<Unread> kTcpSocketFields[] = {
    {"port", Handling::kRead, check_int_or_string, "Where: a number, or the name of one of the container's ports.",
     &kIntOrString},
    {"host", Handling::kRead, check_as<std::string>, "Whom; without it the pod.", &kString},
};
constexpr FieldTable kTcpSocketTable("TCPSocketAction", kTcpSocketFields);

constexpr Field<Unread> kGrpcFields[] = {
    {"port", Handling::kRead, check_int_or_string, "Where.", &kInteger},
    {"service", Handling::kRead, check_as<std::string>, "Which service; without it the server.", &kString},
};
constexpr FieldTable kGrpcTable("GRPCAction", kGrpcFields);

constexpr Field<Unread> kSleepFields[] = {
    {"seconds", Handling::kRead, check_as<int>, "How long.", &kInteger},
};
constexpr FieldTable kSleepTable("SleepAction", kSleepFields);

constexpr Field<Unread> kLifecycleHandlerFields[] = {
    {"exec", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kExecFields); },
     "A command in the container.", &kObject<kExecTable>, "AgentTest.WhatFollowsAStartWaitsForItsHook"},
    {"httpGet", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kHttpGetFields); },
     "A request, whatever its answer.", &kObject<kHttpGetTable>, "Handlers.AHookIsGoodOnceItIsAnswered"},
    {"sleep", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kSleepFields); }, "A pause.",
     &kObject<kSleepTable>, "Handlers.ASleepIsGood"},
};
constexpr FieldTable kLifecycleHandlerTable("LifecycleHandler", kLifecycleHandlerFields);

void check_lifecycle_handler(const Place& place, Unread&) {
  check_object(place, kLifecycleHandlerFields);
}

constexpr Field<Unread> kContainerLifecycleFields[] = {
    {"postStart", Handling::kRead, check_lifecycle_handler,
     "Runs beside the command when it has begun; the containers after it wait for it. A failure ends the container.",
     &kObject<kLifecycleHandlerTable>, "AgentTest.WhatFollowsAStartWaitsForItsHook",
     "Runs once more when the plane has crashed meanwhile."},
    {"preStop", Handling::kRead, check_lifecycle_handler,
     "Runs before SIGTERM when the pod is deleted or out of time, or a probe ends the container.",
     &kObject<kLifecycleHandlerTable>, "AgentTest.AHookRunsBeforeADeletion"},
    {"stopSignal", Handling::kCluster, nullptr, "The signal in place of SIGTERM.", &kString},
};
constexpr FieldTable kContainerLifecycleTable("Lifecycle", kContainerLifecycleFields);

constexpr Field<Unread> kProbeFields[] = {
    {"exec", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kExecFields); },
     "A command in the container that exits with 0.", &kObject<kExecTable>, "test_a_daemon_is_probed_by_a_command"},
    {"httpGet", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kHttpGetFields); },
     "A request that is answered by a status from 200 to 399.", &kObject<kHttpGetTable>,
     "test_a_daemon_serves_those_after_it"},
    {"tcpSocket", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kTcpSocketFields); },
     "A connection that is taken.", &kObject<kTcpSocketTable>},
    {"grpc", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kGrpcFields); },
     "A request of gRPC's health service that is answered SERVING.", &kObject<kGrpcTable>, "GrpcHealth.SaysWhatItIs"},
    {"initialDelaySeconds", Handling::kRead, check_as<int>, "How long to wait first.", &kInteger},
    {"timeoutSeconds", Handling::kRead, check_as<int>, "How long an answer may take; 1 by default.", &kInteger},
    {"periodSeconds", Handling::kRead, check_as<int>, "How often it is tried; 10 by default.", &kInteger},
    {"successThreshold", Handling::kRead, check_as<int>, "After how many successes it is ready.", &kInteger},
    {"failureThreshold", Handling::kRead, check_as<int>, "After how many failures it is not ready any more.",
     &kInteger},
    {"terminationGracePeriodSeconds", Handling::kRead, check_as<int>,
     "How long a container has to end that such a probe ends; without it what the pod says.", &kInteger,
     "AgentTest.ALivenessProbeEndsItsContainer"},
};
constexpr FieldTable kProbeTable("Probe", kProbeFields);

/// Those of init containers and sidecars; the first is theirs alone, the last a script's.
constexpr Field<Unread> kAllContainerFields[] = {
    {"mirrorVolumeMounts", Handling::kRead, check_as<bool>, "It has the mounts of the main container too.", &kBoolean,
     "PodBuilder.SidecarsMirrorMountsOfMain"},
    {"name", Handling::kRead, check_as<std::string>, "Its name; that of a template's container is always main.",
     &kString},
    {"image", Handling::kRead, check_as<std::string>, "The image. The process runtime runs commands of the host.",
     &kString, "ContainerRuntimeTest.AnImageIsPulledWhenThePolicyWantsIt"},
    {"command", Handling::kRead, check_as<std::vector<std::string>>,
     "The program; without it the image's. $(NAME) is a variable of env.", &kStrings,
     "ContainerRuntimeTest.CommandAndArgumentsReplaceTheImagesAsInKubernetes"},
    {"args", Handling::kRead, check_as<std::vector<std::string>>,
     "Its arguments, in which $(NAME) is a variable of env.", &kStrings,
     "ContainerRuntimeTest.CommandAndArgumentsReplaceTheImagesAsInKubernetes"},
    {"workingDir", Handling::kRead, check_as<std::string>, "The folder in which it starts.", &kString,
     "ProcessRuntime.WorkingDirIsMadeWhenMissing"},
    {"env", Handling::kRead, check_list<kEnvVarFields>, "Environment variables.",
     &kObject<kEnvVarTable, Shape::Around::kList>, "AgentEnv.Resolves"},
    {"envFrom", Handling::kRead, check_list<kEnvFromFields>, "Environment variables of ConfigMaps and Secrets.",
     &kObject<kEnvFromTable, Shape::Around::kList>, "AgentEnv.Resolves"},
    {"volumeMounts", Handling::kRead, check_list<kVolumeMountFields>, "Volumes that it sees.",
     &kObject<kVolumeMountTable, Shape::Around::kList>, "AgentTest.VolumesBecomeMounts"},
    {"resources", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kResourcesFields); },
     "What it needs, and may use at most.", &kObject<kResourcesTable>, "AgentTest.LimitsAndSecurityReachTheRuntime"},
    {"securityContext", Handling::kRead, nullptr, "User, capabilities, a read-only root.", &kSecurityContext,
     "AgentTest.LimitsAndSecurityReachTheRuntime"},
    {"imagePullPolicy", Handling::kRead, check_pull_policy, "When the image is pulled.", &kChoice<kPullPolicies>,
     "FakeEngineTest.PoliciesThatForbidAPull"},
    {"ports", Handling::kCarry, nullptr, "Ports that it listens on, for people.", &kContainerPorts},
    {"stdin", Handling::kCarry, nullptr, "It has a standard input.", &kBoolean, "", "No effect: it is empty."},
    {"stdinOnce", Handling::kCarry, nullptr, "Standard input ends with the first one who writes.", &kBoolean, "",
     "No effect."},
    {"tty", Handling::kCarry, nullptr, "It has a terminal.", &kBoolean, "", "No effect."},
    {"terminationMessagePath", Handling::kCarry, nullptr, "A file whose content tells why it ended.", &kString,
     "test_steps_tell_why_they_ended"},
    {"terminationMessagePolicy", Handling::kCarry, nullptr, "Whether its log may tell that instead.", &kString,
     "test_steps_tell_why_they_ended"},
    {"lifecycle", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kContainerLifecycleFields); },
     "What runs after its start and before its end.", &kObject<kContainerLifecycleTable>,
     "test_hooks_and_probes_of_a_container"},
    {"livenessProbe", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kProbeFields); },
     "How it is seen to be alive: when it is not, it is ended, and fails.", &kObject<kProbeTable>,
     "test_hooks_and_probes_of_a_container"},
    {"readinessProbe", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kProbeFields); },
     "How it is seen to be ready: what follows a daemon waits for it.", &kObject<kProbeTable>,
     "test_a_daemon_serves_those_after_it"},
    {"startupProbe", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kProbeFields); },
     "How it is seen to have started, for which the other probes wait: when it has not in time, it is ended, and "
     "fails.",
     &kObject<kProbeTable>, "AgentTest.ProbesWaitForTheStartupProbe"},
    {"resizePolicy", Handling::kCluster, nullptr, "Whether it restarts when its resources change.", &kResizePolicies},
    {"restartPolicy", Handling::kRead, check_restart_policy,
     "Always: an init container that keeps running. The next one starts once it has started; it is started again when "
     "it "
     "ends, and ends after all others.",
     &kString, "test_init_containers_that_keep_running", "Else, and of other containers, only a cluster honours it."},
    {"restartPolicyRules", Handling::kCluster, nullptr, "When it is started again.", &kRestartRules},
    {"volumeDevices", Handling::kCluster, nullptr, "Block devices that it sees.", &kVolumeDevices},
    {"source", Handling::kRead, check_as<std::string>, "The script; `command` runs the file that holds it.", &kString,
     "PodBuilder.ScriptSourceIsAFileAndTheLastArgument"},
};
constexpr std::span<const Field<Unread>> kScriptFields = std::span(kAllContainerFields).subspan(1);
constexpr std::span<const Field<Unread>> kContainerFields = kScriptFields.first(kScriptFields.size() - 1);
constexpr std::span<const Field<Unread>> kFurtherContainerFields =
    std::span(kAllContainerFields).first(std::size(kAllContainerFields) - 1);

/// Those of a container, and one more.
constexpr auto kContainerNodeFields = [] {
  std::array<Field<Unread>, kContainerFields.size() + 1> fields{};
  std::ranges::copy(kContainerFields, fields.begin());
  fields.back() = {"dependencies",
                   Handling::kRead,
                   check_as<std::vector<std::string>>,
                   "The containers that must have succeeded before it starts.",
                   &kStrings,
                   "AgentContainerSet.AContainerOfASetWaitsForThoseItDependsOn"};
  return fields;
}();

constexpr Field<Unread> kMetadataFields[] = {
    {"labels", Handling::kRead, check_as<std::map<std::string, std::string>>, "The pods' labels.", &kStringMap,
     "PodBuilder.MetadataNamesWorkflowAndNode"},
    {"annotations", Handling::kRead, check_as<std::map<std::string, std::string>>, "The pods' annotations.",
     &kStringMap, "PodBuilder.MetadataNamesWorkflowAndNode"},
};

}  // namespace

constexpr FieldTable kContainerTable("Container", kContainerFields);
constexpr FieldTable kScriptTable("ScriptTemplate", kScriptFields);
constexpr FieldTable kFurtherContainerTable("UserContainer", kFurtherContainerFields);
constexpr FieldTable kContainerNodeTable("ContainerNode", std::span<const Field<Unread>>(kContainerNodeFields));
constexpr FieldTable kPodMetadataTable("Metadata", kMetadataFields);

void check_container(const Place& place) {
  check_object(place, kContainerFields);
}

void check_script(const Place& place) {
  check_object(place, kScriptFields);
}

void check_further_containers(const Place& place) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) check_object(place.element(i, array[i]), kFurtherContainerFields);
}

void check_container_node(const Place& place) {
  check_object(place, kContainerNodeFields);
}

void check_volume_mounts(const Place& place) {
  Unread nothing;
  check_list<kVolumeMountFields>(place, nothing);
}

void check_metadata(const Place& place) {
  check_object(place, kMetadataFields);
}

}  // namespace tiphys::api
