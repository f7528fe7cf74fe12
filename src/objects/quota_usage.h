// What objects count for in a ResourceQuota, and which of them it counts (k8s.io/kubernetes/pkg/quota/v1/evaluator).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "cluster/resource.h"
#include "objects/resource_list.h"

namespace tiphys::objects {

/// Pods that have ended count as objects alone.
ResourceList usage_of(const cluster::Resource& resource, const doc::Value& object);

/// Those of a quota's limits that objects of this resource count for.
std::vector<std::string> counted(const cluster::Resource& resource, const ResourceList& hard);
/// The resources whose objects a quota counts; of those that nobody serves there is nothing to count.
std::set<const cluster::Resource*> counted_resources(const ResourceList& hard);

/// Whether the object is in all scopes of the quota.
bool in_scopes(const doc::Value& quota, const cluster::Resource& resource, const doc::Value& object);

/// What a pod's containers must say when a quota limits these: `must specify limits.cpu for: main`.
std::optional<std::string> unspecified(const std::vector<std::string>& limited, const doc::Value& pod);

}  // namespace tiphys::objects
