// Whether quotas have room for an object, and what of them is used along with it (k8s.io/apiserver, admission plugin
// ResourceQuota).
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "cluster/cluster.h"

namespace tiphys::objects {

/// The quota with the object counted; null when it changes nothing of it; an error says why there is no room. `before`
/// is what the object was, null for a new one.
std::expected<std::optional<doc::Value>, std::string> charge_quota(const doc::Value& quota,
                                                                   const cluster::Resource& resource,
                                                                   const doc::Value* before, const doc::Value& object);

}  // namespace tiphys::objects
