// What workflows and their nodes are at, as users' requests look at them.
#pragma once

#include "api/node_status.h"
#include "doc/value.h"

namespace tiphys::argo {

/// Its status.phase is one that stays.
bool has_ended(const doc::Value& workflow);
/// A suspend node that waits.
bool is_active_suspend(const api::NodeStatus& node);

}  // namespace tiphys::argo
