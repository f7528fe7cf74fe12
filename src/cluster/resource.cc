#include "cluster/resource.h"

#include <algorithm>
#include <array>

namespace tiphys::cluster {

constexpr Resource kWorkflows{"argoproj.io", "v1alpha1", "Workflow", "workflows", "workflow", "wf"};
constexpr Resource kWorkflowTemplates{"argoproj.io",       "v1alpha1",         "WorkflowTemplate",
                                      "workflowtemplates", "workflowtemplate", "wftmpl"};
constexpr Resource kClusterWorkflowTemplates{
    "argoproj.io", "v1alpha1", "ClusterWorkflowTemplate", "clusterworkflowtemplates", "clusterworkflowtemplate",
    "cwftmpl",     false};
constexpr Resource kCronWorkflows{"argoproj.io", "v1alpha1", "CronWorkflow", "cronworkflows", "cronworkflow", "cronwf"};
constexpr Resource kPods{"", "v1", "Pod", "pods", "pod", "po"};
constexpr Resource kConfigMaps{"", "v1", "ConfigMap", "configmaps", "configmap", "cm"};
constexpr Resource kSecrets{"", "v1", "Secret", "secrets", "secret", ""};
constexpr Resource kNamespaces{"", "v1", "Namespace", "namespaces", "namespace", "ns", false};
constexpr Resource kServiceAccounts{"", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", "sa"};
constexpr Resource kPersistentVolumeClaims{
    "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", "pvc"};
constexpr Resource kServices{"", "v1", "Service", "services", "service", "svc"};
constexpr Resource kEvents{"", "v1", "Event", "events", "event", "ev"};
constexpr Resource kSyncLimits{"tiphys.io", "v1alpha1", "SyncLimit", "synclimits", "synclimit", ""};
constexpr Resource kJobs{"batch", "v1", "Job", "jobs", "job", ""};

namespace {

constexpr std::array kAll{
    &kWorkflows,  &kWorkflowTemplates, &kClusterWorkflowTemplates, &kCronWorkflows, &kPods,   &kConfigMaps, &kSecrets,
    &kNamespaces, &kServiceAccounts,   &kPersistentVolumeClaims,   &kServices,      &kEvents, &kSyncLimits, &kJobs};

template <typename Matches>
const Resource* first_where(Matches matches) {
  const auto* found = std::ranges::find_if(kAll, [&](const Resource* resource) { return matches(*resource); });
  return found == kAll.end() ? nullptr : *found;
}

}  // namespace

std::string Resource::api_version() const {
  if (group.empty()) return std::string(version);
  return std::string(group) + "/" + std::string(version);
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
