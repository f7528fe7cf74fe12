// What becomes of the objects that a deleted one owns (metav1.DeletionPropagation).
#pragma once

#include <string_view>

#include "cluster/resource.h"

namespace tiphys::cluster {

enum class Propagation {
  kDefault,     ///< as the kind has it
  kBackground,  ///< they go after it
  kForeground,  ///< they go before it
  kOrphan,      ///< they stay, without a reference to it
};

/// On an object that is being deleted, until its dependents are gone, or let go.
inline constexpr std::string_view kForegroundFinalizer = "foregroundDeletion";
inline constexpr std::string_view kOrphanFinalizer = "orphan";

/// Whether somebody carries these finalizers out for a kind; of others what they own goes in the background.
inline bool propagates(const Resource& resource) {
  for (const Resource* one : {&kJobs, &kCronJobs, &kReplicaSets, &kDeployments, &kStatefulSets}) {
    if (one == &resource) return true;
  }
  return false;
}

/// What a client gets that asks for nothing: pods of a Job stay (batch/v1's heritage).
inline Propagation default_propagation(const Resource& resource) {
  return &resource == &kJobs ? Propagation::kOrphan : Propagation::kBackground;
}

}  // namespace tiphys::cluster
