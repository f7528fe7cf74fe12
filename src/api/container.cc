#include <fmt/format.h>

#include "api/fields.h"

namespace tiphys::api {
namespace {

void check_object_only(const Place& place, Unread&) {
  expect_object(place);
}

void check_int_or_string(const Place& place, Unread&) {
  read_int_or_string(place);
}

constexpr Field<Unread> kEnvVarSourceFields[] = {
    {"configMapKeyRef", Handling::kRead, check_object_only},
    {"secretKeyRef", Handling::kRead, check_object_only},
    {"fieldRef", Handling::kRead, check_object_only},
    {"resourceFieldRef", Handling::kRead, check_object_only},
    {"fileKeyRef", Handling::kLater},
};

constexpr Field<Unread> kEnvVarFields[] = {
    {"name", Handling::kRead, check_as<std::string>},
    {"value", Handling::kRead, check_as<std::string>},
    {"valueFrom", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kEnvVarSourceFields); }},
};

constexpr Field<Unread> kEnvFromFields[] = {
    {"prefix", Handling::kRead, check_as<std::string>},
    {"configMapRef", Handling::kRead, check_object_only},
    {"secretRef", Handling::kRead, check_object_only},
};

constexpr Field<Unread> kVolumeMountFields[] = {
    {"name", Handling::kRead, check_as<std::string>},
    {"mountPath", Handling::kRead, check_as<std::string>},
    {"subPath", Handling::kRead, check_as<std::string>},
    {"subPathExpr", Handling::kLater},
    {"readOnly", Handling::kRead, check_as<bool>},
    {"recursiveReadOnly", Handling::kCluster},
    {"mountPropagation", Handling::kCluster},
};

constexpr Field<Unread> kResourcesFields[] = {
    {"limits", Handling::kRead, check_object_only},
    {"requests", Handling::kRead, check_object_only},
    {"claims", Handling::kCluster},
};

void check_scheme(const Place& place, Unread&) {
  std::string scheme;
  read(place, scheme);
  if (!scheme.empty() && scheme != "HTTP")
    place.error(fmt::format("{} must be HTTP: others are not supported yet", place.name()));
}

template <const auto& fields>
void check_list(const Place& place, Unread&) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) check_object(place.element(i, array[i]), fields);
}

constexpr Field<Unread> kHttpHeaderFields[] = {
    {"name", Handling::kRead, check_as<std::string>},
    {"value", Handling::kRead, check_as<std::string>},
};

constexpr Field<Unread> kHttpGetFields[] = {
    {"path", Handling::kRead, check_as<std::string>},
    {"port", Handling::kRead, check_int_or_string},
    {"host", Handling::kRead, check_as<std::string>},
    {"scheme", Handling::kRead, check_scheme},
    {"httpHeaders", Handling::kRead, check_list<kHttpHeaderFields>},
};

constexpr Field<Unread> kTcpSocketFields[] = {
    {"port", Handling::kRead, check_int_or_string},
    {"host", Handling::kRead, check_as<std::string>},
};

constexpr Field<Unread> kProbeFields[] = {
    {"exec", Handling::kLater},
    {"httpGet", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kHttpGetFields); }},
    {"tcpSocket", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kTcpSocketFields); }},
    {"grpc", Handling::kLater},
    {"initialDelaySeconds", Handling::kRead, check_as<int>},
    {"timeoutSeconds", Handling::kRead, check_as<int>},
    {"periodSeconds", Handling::kRead, check_as<int>},
    {"successThreshold", Handling::kRead, check_as<int>},
    {"failureThreshold", Handling::kRead, check_as<int>},
    {"terminationGracePeriodSeconds"},
};

/// Those of init containers and sidecars; the first is theirs alone, the last a script's.
constexpr Field<Unread> kAllContainerFields[] = {
    {"mirrorVolumeMounts", Handling::kRead, check_as<bool>},
    {"name", Handling::kRead, check_as<std::string>},
    {"image", Handling::kRead, check_as<std::string>},
    {"command", Handling::kRead, check_as<std::vector<std::string>>},
    {"args", Handling::kRead, check_as<std::vector<std::string>>},
    {"workingDir", Handling::kRead, check_as<std::string>},
    {"env", Handling::kRead, check_list<kEnvVarFields>},
    {"envFrom", Handling::kRead, check_list<kEnvFromFields>},
    {"volumeMounts", Handling::kRead, check_list<kVolumeMountFields>},
    {"resources", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kResourcesFields); }},
    {"securityContext", Handling::kRead, check_object_only},
    {"imagePullPolicy", Handling::kRead, check_as<std::string>},
    {"ports"},
    {"stdin"},
    {"stdinOnce"},
    {"tty"},
    {"terminationMessagePath"},
    {"terminationMessagePolicy"},
    {"lifecycle", Handling::kCluster},
    {"livenessProbe", Handling::kCluster},
    {"readinessProbe", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kProbeFields); }},
    {"startupProbe", Handling::kCluster},
    {"resizePolicy", Handling::kCluster},
    {"restartPolicy", Handling::kCluster},
    {"restartPolicyRules", Handling::kCluster},
    {"volumeDevices", Handling::kLater},
    {"source", Handling::kRead, check_as<std::string>},
};
constexpr std::span<const Field<Unread>> kScriptFields = std::span(kAllContainerFields).subspan(1);
constexpr std::span<const Field<Unread>> kContainerFields = kScriptFields.first(kScriptFields.size() - 1);
constexpr std::span<const Field<Unread>> kFurtherContainerFields =
    std::span(kAllContainerFields).first(std::size(kAllContainerFields) - 1);

constexpr Field<Unread> kVolumeFields[] = {
    {"name", Handling::kRead, check_as<std::string>},
    {"emptyDir", Handling::kRead, check_object_only},
    {"hostPath", Handling::kRead, check_object_only},
    {"configMap", Handling::kRead, check_object_only},
    {"secret", Handling::kRead, check_object_only},
    {"persistentVolumeClaim", Handling::kLater},
    {"projected", Handling::kLater},
    {"downwardAPI", Handling::kLater},
    {"ephemeral", Handling::kLater},
    {"csi", Handling::kLater},
    {"image", Handling::kLater},
    {"nfs", Handling::kLater},
    {"iscsi", Handling::kLater},
    {"fc", Handling::kLater},
    {"rbd", Handling::kLater},
    {"cephfs", Handling::kLater},
    {"cinder", Handling::kLater},
    {"glusterfs", Handling::kLater},
    {"gitRepo", Handling::kLater},
    {"flexVolume", Handling::kLater},
    {"flocker", Handling::kLater},
    {"azureFile", Handling::kLater},
    {"azureDisk", Handling::kLater},
    {"vsphereVolume", Handling::kLater},
    {"quobyte", Handling::kLater},
    {"photonPersistentDisk", Handling::kLater},
    {"portworxVolume", Handling::kLater},
    {"scaleIO", Handling::kLater},
    {"storageos", Handling::kLater},
    {"gcePersistentDisk", Handling::kLater},
    {"awsElasticBlockStore", Handling::kLater},
};

constexpr Field<Unread> kMetadataFields[] = {
    {"labels", Handling::kRead, check_as<std::map<std::string, std::string>>},
    {"annotations", Handling::kRead, check_as<std::map<std::string, std::string>>},
};

}  // namespace

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

void check_volumes(const Place& place) {
  Unread unread;
  check_list<kVolumeFields>(place, unread);
}

void check_metadata(const Place& place) {
  check_object(place, kMetadataFields);
}

}  // namespace tiphys::api
