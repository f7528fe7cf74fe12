#include "cluster/resource.h"

#include <algorithm>
#include <array>
#include <list>
#include <mutex>

#include "base/strings.h"
#include "cluster/rare_resources.h"

namespace tiphys::cluster {

namespace {

enum Traits : unsigned { kPlain = 0, kClusterWide = 1, kStatus = 2, kScale = 4, kInAll = 8 };

constexpr Resource make(std::string_view group, std::string_view kind, std::string_view plural,
                        std::string_view singular, std::string_view qualified, std::string_view short_names = "",
                        unsigned traits = kPlain, std::string_view version = "v1") {
  return {.group = group,
          .version = version,
          .kind = kind,
          .plural = plural,
          .singular = singular,
          .qualified = qualified,
          .short_names = short_names,
          .namespaced = (traits & kClusterWide) == 0,
          .has_status = (traits & kStatus) != 0,
          .has_scale = (traits & kScale) != 0,
          .categories = (traits & kInAll) != 0 ? "all" : ""};
}

constexpr Resource argo(std::string_view kind, std::string_view plural, std::string_view singular,
                        std::string_view qualified, std::string_view short_names, unsigned traits = kPlain) {
  return make("argoproj.io", kind, plural, singular, qualified, short_names, traits, "v1alpha1");
}

}  // namespace

constexpr Resource kWorkflows = argo("Workflow", "workflows", "workflow", "workflows.argoproj.io", "wf");
constexpr Resource kWorkflowTemplates =
    argo("WorkflowTemplate", "workflowtemplates", "workflowtemplate", "workflowtemplates.argoproj.io", "wftmpl");
constexpr Resource kClusterWorkflowTemplates =
    argo("ClusterWorkflowTemplate", "clusterworkflowtemplates", "clusterworkflowtemplate",
         "clusterworkflowtemplates.argoproj.io", "clusterwftmpl,cwft,cwftmpl", kClusterWide);
constexpr Resource kCronWorkflows =
    argo("CronWorkflow", "cronworkflows", "cronworkflow", "cronworkflows.argoproj.io", "cwf,cronwf");
constexpr Resource kWorkflowEventBindings = argo("WorkflowEventBinding", "workfloweventbindings",
                                                 "workfloweventbinding", "workfloweventbindings.argoproj.io", "wfeb");
constexpr Resource kWorkflowTaskResults =
    argo("WorkflowTaskResult", "workflowtaskresults", "workflowtaskresult", "workflowtaskresults.argoproj.io", "");
constexpr Resource kWorkflowTaskSets =
    argo("WorkflowTaskSet", "workflowtasksets", "workflowtaskset", "workflowtasksets.argoproj.io", "wfts", kStatus);
constexpr Resource kWorkflowArtifactGcTasks =
    argo("WorkflowArtifactGCTask", "workflowartifactgctasks", "workflowartifactgctask",
         "workflowartifactgctasks.argoproj.io", "wfat", kStatus);
constexpr Resource kEventBuses = argo("EventBus", "eventbus", "eventbus", "eventbus.argoproj.io", "eb", kStatus);
constexpr Resource kEventSources =
    argo("EventSource", "eventsources", "eventsource", "eventsources.argoproj.io", "es", kStatus);
constexpr Resource kSensors = argo("Sensor", "sensors", "sensor", "sensors.argoproj.io", "sn", kStatus);
constexpr Resource kSyncLimits =
    make("tiphys.io", "SyncLimit", "synclimits", "synclimit", "synclimits.tiphys.io", "", kPlain, "v1alpha1");
constexpr Resource kPods = make("", "Pod", "pods", "pod", "pods", "po", kStatus | kInAll);
constexpr Resource kConfigMaps = make("", "ConfigMap", "configmaps", "configmap", "configmaps", "cm");
constexpr Resource kSecrets = make("", "Secret", "secrets", "secret", "secrets");
constexpr Resource kNamespaces =
    make("", "Namespace", "namespaces", "namespace", "namespaces", "ns", kClusterWide | kStatus);
constexpr Resource kServiceAccounts =
    make("", "ServiceAccount", "serviceaccounts", "serviceaccount", "serviceaccounts", "sa");
constexpr Resource kPersistentVolumeClaims = make("", "PersistentVolumeClaim", "persistentvolumeclaims",
                                                  "persistentvolumeclaim", "persistentvolumeclaims", "pvc", kStatus);
constexpr Resource kServices = make("", "Service", "services", "service", "services", "svc", kStatus | kInAll);
constexpr Resource kEndpoints = make("", "Endpoints", "endpoints", "endpoints", "endpoints", "ep");
constexpr Resource kEvents = make("", "Event", "events", "event", "events", "ev");
constexpr Resource kNodes = make("", "Node", "nodes", "node", "nodes", "no", kClusterWide | kStatus);
constexpr Resource kResourceQuotas =
    make("", "ResourceQuota", "resourcequotas", "resourcequota", "resourcequotas", "quota", kStatus);
constexpr Resource kLimitRanges = make("", "LimitRange", "limitranges", "limitrange", "limitranges", "limits");
constexpr Resource kReplicationControllers =
    make("", "ReplicationController", "replicationcontrollers", "replicationcontroller", "replicationcontrollers", "rc",
         kStatus | kScale | kInAll);
constexpr Resource kJobs = make("batch", "Job", "jobs", "job", "jobs.batch", "", kStatus | kInAll);
constexpr Resource kCronJobs =
    make("batch", "CronJob", "cronjobs", "cronjob", "cronjobs.batch", "cj", kStatus | kInAll);
constexpr Resource kDeployments =
    make("apps", "Deployment", "deployments", "deployment", "deployments.apps", "deploy", kStatus | kScale | kInAll);
constexpr Resource kReplicaSets =
    make("apps", "ReplicaSet", "replicasets", "replicaset", "replicasets.apps", "rs", kStatus | kScale | kInAll);
constexpr Resource kStatefulSets =
    make("apps", "StatefulSet", "statefulsets", "statefulset", "statefulsets.apps", "sts", kStatus | kScale | kInAll);
constexpr Resource kDaemonSets =
    make("apps", "DaemonSet", "daemonsets", "daemonset", "daemonsets.apps", "ds", kStatus | kInAll);
constexpr Resource kControllerRevisions =
    make("apps", "ControllerRevision", "controllerrevisions", "controllerrevision", "controllerrevisions.apps");
constexpr Resource kLeases = make("coordination.k8s.io", "Lease", "leases", "lease", "leases.coordination.k8s.io");
constexpr Resource kEndpointSlices =
    make("discovery.k8s.io", "EndpointSlice", "endpointslices", "endpointslice", "endpointslices.discovery.k8s.io");
constexpr Resource kPriorityClasses = make("scheduling.k8s.io", "PriorityClass", "priorityclasses", "priorityclass",
                                           "priorityclasses.scheduling.k8s.io", "pc", kClusterWide);
constexpr Resource kStorageClasses = make("storage.k8s.io", "StorageClass", "storageclasses", "storageclass",
                                          "storageclasses.storage.k8s.io", "sc", kClusterWide);
constexpr Resource kPodDisruptionBudgets = make("policy", "PodDisruptionBudget", "poddisruptionbudgets",
                                                "poddisruptionbudget", "poddisruptionbudgets.policy", "pdb", kStatus);
constexpr Resource kNetworkPolicies = make("networking.k8s.io", "NetworkPolicy", "networkpolicies", "networkpolicy",
                                           "networkpolicies.networking.k8s.io", "netpol");
constexpr Resource kIngresses =
    make("networking.k8s.io", "Ingress", "ingresses", "ingress", "ingresses.networking.k8s.io", "ing", kStatus);
constexpr Resource kRoles =
    make("rbac.authorization.k8s.io", "Role", "roles", "role", "roles.rbac.authorization.k8s.io");
constexpr Resource kRoleBindings = make("rbac.authorization.k8s.io", "RoleBinding", "rolebindings", "rolebinding",
                                        "rolebindings.rbac.authorization.k8s.io");
constexpr Resource kClusterRoles = make("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", "clusterrole",
                                        "clusterroles.rbac.authorization.k8s.io", "", kClusterWide);
constexpr Resource kClusterRoleBindings =
    make("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding",
         "clusterrolebindings.rbac.authorization.k8s.io", "", kClusterWide);
constexpr Resource kCustomResourceDefinitions =
    make("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", "customresourcedefinition",
         "customresourcedefinitions.apiextensions.k8s.io", "crd,crds", kClusterWide | kStatus);

namespace {

/// What a plane serves.
constexpr std::array kAll{&kWorkflows,
                          &kWorkflowTemplates,
                          &kClusterWorkflowTemplates,
                          &kCronWorkflows,
                          &kWorkflowEventBindings,
                          &kPods,
                          &kConfigMaps,
                          &kSecrets,
                          &kNamespaces,
                          &kServiceAccounts,
                          &kPersistentVolumeClaims,
                          &kServices,
                          &kEndpoints,
                          &kEndpointSlices,
                          &kEvents,
                          &kNodes,
                          &kSyncLimits,
                          &kJobs,
                          &kCronJobs,
                          &kReplicaSets,
                          &kDeployments,
                          &kStatefulSets,
                          &kDaemonSets,
                          &kReplicationControllers,
                          &kControllerRevisions,
                          &kLeases,
                          &kPriorityClasses,
                          &kPodDisruptionBudgets,
                          &kLimitRanges,
                          &kResourceQuotas,
                          &kRoles,
                          &kRoleBindings,
                          &kClusterRoles,
                          &kClusterRoleBindings,
                          &kCustomResourceDefinitions,
                          &kEventBuses,
                          &kEventSources,
                          &kSensors};

struct Custom {
  ResourceNames names;
  std::string qualified;
  Resource resource;

  explicit Custom(const ResourceNames& given)
      : names(given),
        qualified(given.plural + "." + given.group),
        resource{.group = names.group,
                 .version = names.version,
                 .kind = names.kind,
                 .plural = names.plural,
                 .singular = names.singular,
                 .qualified = qualified,
                 .short_names = names.short_names,
                 .namespaced = names.namespaced,
                 .categories = names.categories} {}
};

/// Those that were ever named, the newest first: their addresses stay.
struct CustomResources {
  std::mutex mutex;
  std::list<Custom> all;
};
CustomResources& custom_resources() {
  static CustomResources made;
  return made;
}

template <typename Matches>
const Resource* first_where(Matches matches) {
  const auto* found = std::ranges::find_if(kAll, [&](const Resource* resource) { return matches(*resource); });
  if (found != kAll.end()) return *found;
  CustomResources& custom = custom_resources();
  const std::lock_guard lock(custom.mutex);
  const auto one = std::ranges::find_if(custom.all, [&](const Custom& each) { return matches(each.resource); });
  return one == custom.all.end() ? nullptr : &one->resource;
}

}  // namespace

std::string Resource::api_version() const {
  if (group.empty()) return std::string(version);
  return std::string(group) + "/" + std::string(version);
}

bool Resource::is_called(std::string_view word) const {
  if (word == plural || word == singular) return true;
  return std::ranges::any_of(split(short_names, ','),
                             [&](std::string_view one) { return !one.empty() && one == word; });
}

const Resource& custom_resource(const ResourceNames& names) {
  CustomResources& custom = custom_resources();
  const std::lock_guard lock(custom.mutex);
  const auto found = std::ranges::find(custom.all, names, &Custom::names);
  if (found != custom.all.end()) {
    custom.all.splice(custom.all.begin(), custom.all, found);
    return found->resource;
  }
  return custom.all.emplace_front(names).resource;
}

std::span<const Resource* const> resources() {
  return kAll;
}

const Resource* find_resource(std::string_view api_version, std::string_view kind) {
  return first_where(
      [&](const Resource& resource) { return resource.kind == kind && resource.api_version() == api_version; });
}

const Resource* find_resource_by_plural(std::string_view group, std::string_view plural) {
  return first_where([&](const Resource& resource) { return resource.plural == plural && resource.group == group; });
}

}  // namespace tiphys::cluster
