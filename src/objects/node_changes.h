// Changes of nodes by clients that know Kubernetes alone. The original's command resumes and sets suspended nodes so:
// it changes them in the workflow that it has read, and writes all of it. Original: workflow/util/util.go
// (updateSuspendedNode).
#pragma once

#include "doc/value.h"

namespace tiphys::objects {

/// The workflow comes with suspended nodes.
bool shows_suspended_nodes(const doc::Value& workflow);
/// Makes of what is changed in such nodes requests to the workflow's controller. `before` is the workflow with its
/// nodes.
void ask_for_node_changes(const doc::Value& before, doc::Value& workflow);

}  // namespace tiphys::objects
