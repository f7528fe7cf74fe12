// Where a path that a step sees lies on this host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "node/runtime.h"

namespace tiphys::node {

/// Follows symbolic links as the step would: absolute ones start at its root, ".." never leaves it. `mounts` lie over
/// `root`. kNotFound when there is no such path, or when its parent is no folder. Folders and files that no longer
/// change; whoever still writes to a mount may swap them.
Result<std::string> host_path_of(const std::string& root, const std::vector<Mount>& mounts, std::string_view path);

}  // namespace tiphys::node
