// Changes of nodes by clients that know Kubernetes alone. The original's command resumes and sets suspended nodes so,
// and retries workflows: it changes the workflow that it has read, and writes all of it. Original:
// workflow/util/util.go (updateSuspendedNode, FormulateRetryWorkflow).
#pragma once

#include "doc/value.h"

namespace tiphys::objects {

/// The workflow, as a client writes it, may ask for something: it comes with suspended nodes, or without the phase that
/// it had.
bool may_ask(const doc::Value& workflow);
/// Makes of what is changed in suspended nodes requests to the workflow's controller, and of a phase that is taken away
/// from what has ended a retry, which restarts the nodes that are left out. `before` is the workflow with its nodes.
void ask_for_changes(const doc::Value& before, doc::Value& workflow);

}  // namespace tiphys::objects
