// What a step sees: its root with this host's folders, /proc and its volumes. By raw system calls, in the mount
// namespace of its own that a new init has.
#pragma once

#include "node/init/step_plan.h"

namespace tiphys::node {

/// The step's folder under the host's folders, which are moved there from the supervisor's mount; kRootFd is its top.
/// False, as of all of these: the slot says why.
bool build_root(const RootPlan& plan);
/// Makes it the root.
bool enter_root(StepSlot& slot);
/// The same with the step's volumes.
bool make_mounts_and_enter(const StepPlan& plan);
/// The step's host name and working directory, which is made if need be; no more is written to a read-only root.
bool settle(const StepPlan& plan);

}  // namespace tiphys::node
