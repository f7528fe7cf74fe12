// The kinds of objects that a plane holds, and how one object is named.
#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>

namespace tiphys::cluster {

/// A resource type, as Kubernetes' discovery tells it. All of them are constants; compare by address or by plural and
/// group.
struct Resource {
  std::string_view group;  ///< "" for the core group
  std::string_view version;
  std::string_view kind;    ///< "ConfigMap"
  std::string_view plural;  ///< "configmaps"
  std::string_view singular;
  std::string_view short_name;  ///< "cm"; "" when there is none
  bool namespaced = true;

  /// "v1" or "argoproj.io/v1alpha1".
  std::string api_version() const;
};

extern const Resource kWorkflows, kWorkflowTemplates, kClusterWorkflowTemplates, kCronWorkflows, kPods, kConfigMaps,
    kSecrets, kNamespaces, kServiceAccounts, kPersistentVolumeClaims, kServices, kEvents, kSyncLimits, kJobs;

/// All resources of the embedded plane.
std::span<const Resource* const> resources();
/// By kind and apiVersion; nullptr when the plane has none such.
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
