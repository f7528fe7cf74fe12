// Where the pods of a Service are, as Endpoints and EndpointSlices tell it (k8s.io/kubernetes/pkg/controller/endpoint,
// k8s.io/endpointslice): a pure function of what there is.
#pragma once

#include <optional>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers {

/// Whether its pods are looked for at all.
bool has_endpoints(const doc::Value& service);
bool selects_pod(const doc::Value& service, const doc::Value& pod);

struct EndpointsPlan {
  std::optional<doc::Value> create{};  ///< Endpoints, which have the Service's name
  std::optional<doc::Value> update{};
  std::vector<doc::Value> create_slices{}, update_slices{};
  std::vector<cluster::Object> remove_slices{};
};

/// `pods` are those that it selects; `endpoints` is null when there are none; `slices` are those that were made for it.
EndpointsPlan plan_endpoints(const doc::Value& service, const std::vector<cluster::Object>& pods,
                             const cluster::Object& endpoints, const std::vector<cluster::Object>& slices);

/// Whether they were made here, and not by a user.
bool is_managed(const doc::Value& slice_or_endpoints);

}  // namespace tiphys::controllers
