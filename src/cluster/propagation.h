// What becomes of the objects that a deleted one owns (metav1.DeletionPropagation).
#pragma once

#include <string_view>

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

}  // namespace tiphys::cluster
