// What a step's program may: its user, capabilities and limits. By raw system calls.
#pragma once

#include "node/init/step_plan.h"

namespace tiphys::node {

/// A bit for each capability that a container engine leaves to root by default.
std::uint64_t kept_capabilities();
/// Of the calling process, from here on; negative is -errno, as of all of these.
long limit_resources(const StepPlan& plan);
/// Limits what programs can get; the init keeps what it has, since it never runs one itself.
bool limit_programs(StepSlot& slot);
long become_user(const StepPlan& plan);
/// For an interpreter that enters the namespaces of steps: what programs can get, and to be an administrator of those.
long keep_rights_to_enter();

}  // namespace tiphys::node
