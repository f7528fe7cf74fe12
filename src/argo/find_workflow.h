// The workflow that a call means.
#pragma once

#include <functional>

#include "argo/work.h"

namespace tiphys::argo {

inline constexpr std::string_view kLatest = "@latest";

/// "@latest" is the newest of the namespace; kNotFound when there is none. Without status.nodes.
void find_latest(cluster::Cluster& cluster, const std::string& ns, cluster::Done<cluster::Object> done);

/// The key of the workflow that the request's name means; an error ends the call.
void with_workflow(const WorkPtr& work, std::move_only_function<void(const cluster::Key& key)> next);

}  // namespace tiphys::argo
