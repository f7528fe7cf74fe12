// Which kinds have what they own go, or stay, as whoever deletes them asks (propagation.h).
#pragma once

#include <algorithm>
#include <array>

#include "cluster/propagation.h"
#include "cluster/rare_resources.h"

namespace tiphys::cluster {

/// Whether a controller carries the finalizers out for a kind; for others the store does.
inline bool carries_out(const Resource& resource) {
  const std::array kinds{&kJobs,         &kCronJobs,   &kReplicaSets,           &kDeployments,
                         &kStatefulSets, &kDaemonSets, &kReplicationControllers};
  return std::ranges::find(kinds, &resource) != kinds.end();
}

/// What a client gets that asks for nothing: pods of Jobs and ReplicationControllers stay (heritage of their versions).
inline Propagation usual_propagation(const Resource& resource) {
  const bool stay = &resource == &kJobs || &resource == &kReplicationControllers;
  return stay ? Propagation::kOrphan : Propagation::kBackground;
}

}  // namespace tiphys::cluster
