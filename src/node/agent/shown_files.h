// What each container of a pod is shown at a place, unless it has something of its own there.
#pragma once

#include "node/agent/pod_spec.h"
#include "node/runtime.h"

namespace tiphys::node {

/// A file or folder of this host.
void mount_in_all(PodContainers& containers, const Mount& mount);
/// Files that the runtime holds.
void hold_in_all(PodContainers& containers, const HeldFiles& files);

}  // namespace tiphys::node
