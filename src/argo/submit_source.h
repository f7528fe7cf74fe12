// Workflows that are made from other objects: `submit --from`, SubmitWorkflow.
#pragma once

#include <string_view>

#include "base/time.h"
#include "cluster/resource.h"
#include "doc/value.h"

namespace tiphys::argo {

/// What a workflow may be made from, by any of its kind's names ("cronwf", "CronWorkflow"): nullptr for another kind.
const cluster::Resource* submit_kind(std::string_view kind);
/// A workflow that refers to a WorkflowTemplate or ClusterWorkflowTemplate.
doc::Value workflow_from_template(const cluster::Resource& resource, std::string_view name);
/// A workflow of a CronWorkflow, to be submitted at once.
doc::Value workflow_from_cron(const doc::Value& cron_workflow, Time now);

}  // namespace tiphys::argo
