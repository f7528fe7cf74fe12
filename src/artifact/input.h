// How an input artifact comes from its place to a path of this host.
#pragma once

#include <string>

#include "artifact/stores.h"

namespace tiphys::artifact {

/// `wanted` is {"location": {"s3": {...}}, "archive"?: "none" | "tar" | "zip", "subPath"?}; what lies at `target` is
/// replaced. Unpacks what was packed, as the original does: by the archive that the artifact names, or a tarball where
/// it names none. Blocking. kNotFound when there is no such artifact.
Status load_input(const doc::Value& wanted, const std::string& target, const Stores& stores,
                  const Credentials& credentials);

}  // namespace tiphys::artifact
