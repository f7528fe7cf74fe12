// The workflow's own variables, for fields of the workflow that go into its pods.
#pragma once

#include "api/workflow.h"
#include "expr/scope.h"

namespace tiphys::controllers {

/// workflow.{name, namespace, uid, serviceAccountName, mainEntrypoint, priority, creationTimestamp, parameters,
/// labels, annotations}: what is known before the run begins.
expr::Scope global_scope(const api::Workflow& workflow);

}  // namespace tiphys::controllers
