// workflowRestrictions of the configuration: what a workflow may say beside the template that it refers to.
#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "doc/value.h"

namespace tiphys::controllers {

/// The original's message when `workflow`, as its user wrote it, refers to no WorkflowTemplate, or sets more than the
/// original lets it (ValidateUserOverrides of workflow/util/merge.go) and `also_allowed`. The runtime that a client of
/// ours asks for is no field of the original's, and does not count.
Status check_restrictions(const doc::Value& workflow, std::span<const std::string> also_allowed);

}  // namespace tiphys::controllers
