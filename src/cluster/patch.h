// The three forms of patches that every plane takes, and what HTTP calls them.
#pragma once

#include <optional>
#include <string_view>

#include "cluster/cluster.h"

namespace tiphys::cluster {

/// Changes an object as a patch says; on an error it is as it was. The object's kind tells how lists merge.
Status apply_patch(doc::Value& object, PatchType type, const doc::Value& patch);

/// "application/merge-patch+json"
std::string_view media_type(PatchType type);
/// Of a media type in lower case; nullopt when it is none of a patch.
std::optional<PatchType> patch_type(std::string_view media_type);

}  // namespace tiphys::cluster
