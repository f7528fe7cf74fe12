// The claims of a StatefulSet's pods, and who owns them (volumeClaimTemplates, persistentVolumeClaimRetentionPolicy).
#pragma once

#include <optional>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

/// Those of the pod with this number.
std::vector<doc::Value> claims_of(const doc::Value& set, std::int64_t ordinal);
/// Has a pod's volumes be those claims.
void mount_claims(const doc::Value& set, std::int64_t ordinal, doc::Object& pod);
/// The claim with the owners that the retention policy gives it; null when it has them. `pod` is its pod, null when
/// there is none; `surplus` says that the pod is one too many.
std::optional<doc::Value> with_owners(const doc::Value& set, const doc::Value& claim, const doc::Value* pod,
                                      bool surplus);

}  // namespace tiphys::controllers::workloads
