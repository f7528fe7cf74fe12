// The kinds of objects that a plane holds, and how one object is named.
#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>

namespace tiphys::cluster {

/// A resource type, as Kubernetes' discovery tells it. All of them are constants; compare by address.
struct Resource {
  std::string_view group;  ///< "" for the core group
  std::string_view version;
  std::string_view kind;    ///< "ConfigMap"
  std::string_view plural;  ///< "configmaps"
  std::string_view singular;
  /// "workflows.argoproj.io", or the plural in the core group: as messages and the store name it.
  std::string_view qualified;
  std::string_view short_names{};  ///< "cm"; several with commas between
  bool namespaced = true;
  /// Its status is written by itself, at the subresource /status.
  bool has_status = false;
  bool has_scale = false;         ///< the subresource /scale
  std::string_view categories{};  ///< "all"

  /// "v1" or "argoproj.io/v1alpha1".
  std::string api_version() const;
  /// Whether `word` is its plural, its singular or a short name.
  bool is_called(std::string_view word) const;
};

extern const Resource kWorkflows, kWorkflowTemplates, kClusterWorkflowTemplates, kCronWorkflows, kWorkflowEventBindings,
    kWorkflowTaskResults, kWorkflowTaskSets, kWorkflowArtifactGcTasks, kEventBuses, kEventSources, kSensors,
    kSyncLimits;
extern const Resource kPods, kConfigMaps, kSecrets, kNamespaces, kServiceAccounts, kPersistentVolumeClaims, kServices,
    kEndpoints, kEvents, kNodes, kResourceQuotas, kLimitRanges;
extern const Resource kJobs, kCronJobs, kDeployments, kReplicaSets, kStatefulSets, kControllerRevisions, kLeases,
    kEndpointSlices, kPriorityClasses, kStorageClasses, kPodDisruptionBudgets, kNetworkPolicies, kIngresses;
extern const Resource kRoles, kRoleBindings, kClusterRoles, kClusterRoleBindings, kCustomResourceDefinitions;

/// All built-in resources of the embedded plane.
std::span<const Resource* const> resources();

/// What a CustomResourceDefinition says of its resource; texts as in Resource.
struct ResourceNames {
  std::string group, version, kind, plural, singular, short_names, categories;
  bool namespaced = true;
  bool operator==(const ResourceNames&) const = default;
};
/// The resource of these names, the same one for equal names as long as the program runs. Any thread.
const Resource& custom_resource(const ResourceNames& names);

/// By kind and apiVersion, custom ones too, the newest first; nullptr when the plane has none such.
const Resource* find_resource(std::string_view api_version, std::string_view kind);
/// By plural and group, as routes name it.
const Resource* find_resource_by_plural(std::string_view group, std::string_view plural);

struct Key {
  const Resource* resource = nullptr;
  std::string ns;  ///< "" for cluster scope
  std::string name;
  auto operator<=>(const Key&) const = default;
  bool operator==(const Key&) const = default;
};

}  // namespace tiphys::cluster
