#include "doc/strategic_types.h"

#include <algorithm>
#include <functional>

#include "base/strings.h"

namespace tiphys::doc {
namespace {

/// The fields of a type that hold objects or lists, separated by spaces:
///   name:Type       an object that merges
///   name{}          one without objects and lists inside, or with any keys
///   name=           an object that is replaced
///   name[]          a list that is replaced
///   name[key]:Type  a list of objects that merges by a key
///   name[key]       one whose elements have no objects and lists inside
///   name[=]         a list of scalars that merges as a set
/// Types with the same fields share a row: scripts and sidecars are containers.
struct PatchType {
  std::string_view name;
  std::string_view fields;
};
constexpr PatchType kTypes[] = {
    {"Affinity", "nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAffinity"},
    {"ArchiveStrategy", "tar{} none{} zip{}"},
    {"ArtGCStatus", "strategiesProcessed{} podsRecouped{}"},
    {"Artifact",
     "s3:S3Artifact git:GitArtifact http:HTTPArtifact artifactory:BasicAuth hdfs:HDFSArtifact raw{} "
     "oss:OSSArtifact gcs:GCSArtifact azure:AzureArtifact plugin{} archive:ArchiveStrategy "
     "artifactGC:ArtifactGC"},
    {"ArtifactGC", "podMetadata:Metadata"},
    {"ArtifactLocation",
     "s3:S3Artifact git:GitArtifact http:HTTPArtifact artifactory:BasicAuth hdfs:HDFSArtifact raw{} "
     "oss:OSSArtifact gcs:GCSArtifact azure:AzureArtifact plugin{}"},
    {"ArtifactRepository",
     "s3:S3Artifact artifactory:BasicAuth hdfs:HDFSArtifact oss:OSSArtifact gcs:GCSArtifact "
     "azure:AzureArtifact plugin{}"},
    {"ArtifactRepositoryRefStatus", "artifactRepository:ArtifactRepository"},
    {"AzureArtifact", "accountKeySecret{}"},
    {"BasicAuth", "usernameSecret{} passwordSecret{}"},
    {"CSIVolumeSource", "volumeAttributes{} nodePublishSecretRef{}"},
    {"Cache", "configMap{}"},
    {"Capabilities", "add[] drop[]"},
    {"CinderVolumeSource", "secretRef{}"},
    {"ClientCertAuth", "clientCertSecret{} clientKeySecret{}"},
    {"ConfigMap", "metadata:ObjectMeta data{} binaryData{}"},
    {"Container",
     "command[] args[] ports[containerPort] envFrom[] env[name]:EnvVar resources:ResourceRequirements "
     "resizePolicy[] restartPolicyRules[] volumeMounts[mountPath] volumeDevices[devicePath] "
     "livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:Lifecycle "
     "securityContext:SecurityContext"},
    {"ContainerSetTemplate", "containers[] volumeMounts[] retryStrategy{}"},
    {"DAGTask",
     "inline:Template arguments:Inputs templateRef{} dependencies[] withItems[] withSequence{} continueOn{} "
     "hooks{}"},
    {"DAGTemplate", "tasks[name]:DAGTask"},
    {"Data", "source:DataSource transformation[]"},
    {"DataSource", "artifactPaths:Artifact"},
    {"EnvVar", "valueFrom:EnvVarSource"},
    {"EnvVarSource", "fieldRef{} resourceFieldRef{} configMapKeyRef{} secretKeyRef{} fileKeyRef{}"},
    {"EphemeralVolumeSource", "volumeClaimTemplate:PersistentVolumeClaimTemplate"},
    {"Event", "metadata:ObjectMeta involvedObject{} source{} series{} related{}"},
    {"ExecAction", "command[]"},
    {"FCVolumeSource", "targetWWNs[] wwids[]"},
    {"FlexVolumeSource", "secretRef{} options{}"},
    {"GCSArtifact", "serviceAccountKeySecret{}"},
    {"GitArtifact", "fetch[] usernameSecret{} passwordSecret{} sshPrivateKeySecret{}"},
    {"HDFSArtifact", "krbCCacheSecret{} krbKeytabSecret{} krbConfigConfigMap{} addresses[]"},
    {"HTTP", "headers[] bodyFrom{}"},
    {"HTTPArtifact", "headers[] auth:HTTPAuth"},
    {"HTTPAuth", "clientCert:ClientCertAuth oauth2:OAuth2Auth basicAuth:BasicAuth"},
    {"HTTPGetAction", "httpHeaders[]"},
    {"HostAlias", "hostnames[]"},
    {"ISCSIVolumeSource", "portals[] secretRef{}"},
    {"Inputs", "parameters[name]:Parameter artifacts[name]:Artifact"},
    {"Job", "metadata:ObjectMeta spec:JobSpec status:JobStatus"},
    {"JobSpec",
     "podFailurePolicy:SuccessPolicy successPolicy:SuccessPolicy selector:LabelSelector "
     "template:PodTemplateSpec"},
    {"JobStatus", "conditions[type] uncountedTerminatedPods:UncountedTerminatedPods"},
    {"LabelSelector", "matchLabels{} matchExpressions[]"},
    {"Lifecycle", "postStart:LifecycleHandler preStop:LifecycleHandler"},
    {"LifecycleHandler", "exec:ExecAction httpGet:HTTPGetAction tcpSocket{} sleep{}"},
    {"LoadBalancerStatus", "ingress[]"},
    {"ManifestFrom", "artifact:Artifact"},
    {"Memoize", "cache:Cache"},
    {"Metadata", "annotations{} labels{}"},
    {"Metrics", "prometheus[]"},
    {"MutexStatus", "holding[] waiting[]"},
    {"Namespace", "metadata:ObjectMeta spec:NamespaceSpec status:NamespaceStatus"},
    {"NamespaceSpec", "finalizers[]"},
    {"NamespaceStatus", "conditions[type]"},
    {"NodeAffinity",
     "requiredDuringSchedulingIgnoredDuringExecution:NodeSelector "
     "preferredDuringSchedulingIgnoredDuringExecution[]"},
    {"NodeSelector", "nodeSelectorTerms[]"},
    {"OAuth2Auth", "clientIDSecret{} clientSecretSecret{} tokenURLSecret{} scopes[] endpointParams[]"},
    {"OSSArtifact", "accessKeySecret{} secretKeySecret{} lifecycleRule{}"},
    {"ObjectMeta", "labels{} annotations{} ownerReferences[uid] finalizers[=] managedFields[]"},
    {"Parameter", "valueFrom:ValueFrom enum[]"},
    {"PersistentVolumeClaim", "metadata:ObjectMeta spec:PersistentVolumeClaimSpec status:PersistentVolumeClaimStatus"},
    {"PersistentVolumeClaimSpec",
     "accessModes[] selector:LabelSelector resources:VolumeResourceRequirements dataSource{} dataSourceRef{}"},
    {"PersistentVolumeClaimStatus",
     "accessModes[] capacity{} conditions[type] allocatedResources{} allocatedResourceStatuses{} "
     "modifyVolumeStatus{}"},
    {"PersistentVolumeClaimTemplate", "metadata:ObjectMeta spec:PersistentVolumeClaimSpec"},
    {"Pod", "metadata:ObjectMeta spec:PodSpec status:PodStatus"},
    {"PodAffinity",
     "requiredDuringSchedulingIgnoredDuringExecution[] preferredDuringSchedulingIgnoredDuringExecution[]"},
    {"PodDNSConfig", "nameservers[] searches[] options[]"},
    {"PodDisruptionBudgetSpec", "selector="},
    {"PodExtendedResourceClaimStatus", "requestMappings[]"},
    {"PodGC", "labelSelector:LabelSelector"},
    {"PodSecurityContext",
     "seLinuxOptions{} windowsOptions{} supplementalGroups[] sysctls[] seccompProfile{} appArmorProfile{}"},
    {"PodSpec",
     "volumes[name]:Volume initContainers[name]:Container containers[name]:Container "
     "ephemeralContainers[name]:Container nodeSelector{} securityContext:PodSecurityContext "
     "imagePullSecrets[name] affinity:Affinity tolerations[] hostAliases[ip]:HostAlias dnsConfig:PodDNSConfig "
     "readinessGates[] overhead{} topologySpreadConstraints[topologyKey]:TopologySpreadConstraint os{} "
     "schedulingGates[name] resourceClaims[name] resources:ResourceRequirements workloadRef{}"},
    {"PodStatus",
     "conditions[type] hostIPs[ip] podIPs[ip] initContainerStatuses[] containerStatuses[] "
     "ephemeralContainerStatuses[] resourceClaimStatuses[name] "
     "extendedResourceClaimStatus:PodExtendedResourceClaimStatus allocatedResources{} "
     "resources:ResourceRequirements"},
    {"PodTemplateSpec", "metadata:ObjectMeta spec:PodSpec"},
    {"Probe", "exec:ExecAction httpGet:HTTPGetAction tcpSocket{} grpc{}"},
    {"ProjectedVolumeSource", "sources[]"},
    {"RBDVolumeSource", "monitors[] secretRef{}"},
    {"ResourceRequirements", "limits{} requests{} claims[]"},
    {"ResourceTemplate", "manifestFrom:ManifestFrom flags[]"},
    {"RetryAffinity", "nodeAntiAffinity{}"},
    {"RetryStrategy", "backoff{} affinity:RetryAffinity"},
    {"S3Artifact",
     "accessKeySecret{} secretKeySecret{} sessionTokenSecret{} createBucketIfNotPresent{} "
     "encryptionOptions:S3EncryptionOptions caSecret{}"},
    {"S3EncryptionOptions", "serverSideCustomerKeySecret{}"},
    {"Secret", "metadata:ObjectMeta data{} stringData{}"},
    {"SecretVolumeSource", "items[]"},
    {"SecurityContext",
     "capabilities:Capabilities seLinuxOptions{} windowsOptions{} seccompProfile{} appArmorProfile{}"},
    {"Service", "metadata:ObjectMeta spec:ServiceSpec status:ServiceStatus"},
    {"ServiceAccount", "metadata:ObjectMeta secrets[name] imagePullSecrets[]"},
    {"ServiceSpec",
     "ports[port] selector{} clusterIPs[] externalIPs[] loadBalancerSourceRanges[] "
     "sessionAffinityConfig:SessionAffinityConfig ipFamilies[]"},
    {"ServiceStatus", "loadBalancer:LoadBalancerStatus conditions[type]"},
    {"SessionAffinityConfig", "clientIP{}"},
    {"SuccessPolicy", "rules[]"},
    {"Synchronization", "semaphores[] mutexes[]"},
    {"SynchronizationStatus", "semaphore:MutexStatus mutex:MutexStatus"},
    {"Template",
     "inputs:Inputs outputs:Inputs nodeSelector{} affinity:Affinity metadata:Metadata steps[] "
     "container:Container containerSet:ContainerSetTemplate script:Container resource:ResourceTemplate "
     "dag:DAGTemplate suspend{} data:Data http:HTTP plugin{} volumes[name]:Volume "
     "initContainers[name]:Container sidecars[name]:Container archiveLocation:ArtifactLocation "
     "retryStrategy:RetryStrategy tolerations[key] executor{} hostAliases[ip]:HostAlias "
     "securityContext:PodSecurityContext metrics:Metrics synchronization:Synchronization memoize:Memoize "
     "annotations{}"},
    {"TopologySpreadConstraint", "labelSelector:LabelSelector matchLabelKeys[]"},
    {"UncountedTerminatedPods", "succeeded[] failed[]"},
    {"ValueFrom", "supplied{} configMapKeyRef{}"},
    {"Volume",
     "hostPath{} emptyDir{} gcePersistentDisk{} awsElasticBlockStore{} gitRepo{} secret:SecretVolumeSource "
     "nfs{} iscsi:ISCSIVolumeSource glusterfs{} persistentVolumeClaim{} rbd:RBDVolumeSource "
     "flexVolume:FlexVolumeSource cinder:CinderVolumeSource cephfs:RBDVolumeSource flocker{} "
     "downwardAPI:SecretVolumeSource fc:FCVolumeSource azureFile{} configMap:SecretVolumeSource "
     "vsphereVolume{} quobyte{} azureDisk{} photonPersistentDisk{} projected:ProjectedVolumeSource "
     "portworxVolume{} scaleIO:CinderVolumeSource storageos:CinderVolumeSource csi:CSIVolumeSource "
     "ephemeral:EphemeralVolumeSource image{}"},
    {"VolumeResourceRequirements", "limits{} requests{}"},
    {"Workflow", "metadata:ObjectMeta spec:WorkflowSpec status:WorkflowStatus"},
    {"WorkflowMetadata", "labels{} annotations{} labelsFrom{}"},
    {"WorkflowSpec",
     "templates[name]:Template arguments:Inputs executor{} volumes[name]:Volume volumeClaimTemplates[] "
     "artifactRepositoryRef{} nodeSelector{} affinity:Affinity tolerations[key] imagePullSecrets[name] "
     "dnsConfig:PodDNSConfig ttlStrategy{} podGC:PodGC hostAliases[ip]:HostAlias "
     "securityContext:PodSecurityContext podDisruptionBudget:PodDisruptionBudgetSpec metrics:Metrics "
     "workflowTemplateRef{} synchronization:Synchronization volumeClaimGC{} retryStrategy:RetryStrategy "
     "podMetadata:Metadata templateDefaults:Template hooks{} workflowMetadata:WorkflowMetadata "
     "artifactGC:ArtifactGC"},
    {"WorkflowStatus",
     "nodes{} storedTemplates{} persistentVolumeClaims[] outputs:Inputs conditions[] resourcesDuration{} "
     "storedWorkflowTemplateSpec:WorkflowSpec synchronization:SynchronizationStatus "
     "artifactRepositoryRef:ArtifactRepositoryRefStatus artifactGCStatus:ArtGCStatus "
     "taskResultsCompletionStatus{}"},
};
static_assert(std::ranges::is_sorted(kTypes, {}, &PatchType::name));

const PatchType* find_type(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kTypes, name, {}, &PatchType::name);
  return found != std::end(kTypes) && found->name == name ? found : nullptr;
}

/// What stands behind a field's name.
PatchField read_form(std::string_view form) {
  PatchField field;
  if (form.starts_with('[')) {
    field.list = true;
    const std::string_view key = form.substr(1, form.find(']') - 1);
    field.merges = !key.empty();
    if (key != "=") field.key = key;
  } else {
    field.merges = form != "=";
  }
  if (const auto colon = form.find(':'); colon != std::string_view::npos) field.type = form.substr(colon + 1);
  return field;
}

class WorkflowPatchTypes final : public PatchTypes {
 public:
  bool knows(std::string_view type) const override { return find_type(type) != nullptr; }
  std::optional<PatchField> find(std::string_view type, std::string_view name) const override {
    const PatchType* known = find_type(type);
    if (!known) return std::nullopt;
    for (const std::string_view field : split(known->fields, ' ')) {
      if (field.size() > name.size() && field.starts_with(name) &&
          std::string_view(":{=[").find(field[name.size()]) != std::string_view::npos) {
        return read_form(field.substr(name.size()));
      }
    }
    return std::nullopt;
  }
};

}  // namespace

const PatchTypes& workflow_patch_types() {
  static const WorkflowPatchTypes kKnown;
  return kKnown;
}

}  // namespace tiphys::doc
