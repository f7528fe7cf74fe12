// Labels and annotations that a workflow gives itself as it begins. Original: updateWorkflowMetadata of
// workflow/controller/operator.go.
#pragma once

#include <map>
#include <string>

#include "api/workflow.h"
#include "expr/ambient.h"

namespace tiphys::controllers {

struct WorkflowMetadata {
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};

/// What spec.workflowMetadata comes to: the workflow's own variables in it substituted, expressions evaluated.
Result<WorkflowMetadata> workflow_metadata(const api::Workflow& workflow, const expr::Ambient& ambient);

}  // namespace tiphys::controllers
