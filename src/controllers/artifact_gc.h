// Which artifacts of a workflow are to be deleted, when, and what its status says of it. Original:
// workflow/controller/artifact_gc.go; there pods delete them, here the plane itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/workflow.h"
#include "cluster/cluster.h"

namespace tiphys::controllers {

/// Keeps a workflow from going before its artifacts have gone.
inline constexpr std::string_view kArtifactGcFinalizer = "workflows.argoproj.io/artifact-gc";

/// Some output of its templates is to be deleted some day.
bool wants_artifact_gc(const api::Workflow& workflow);
bool has_gc_finalizer(const doc::Value& workflow);
/// It has ended, and those that go with its end are still there.
bool awaits_artifact_gc(const doc::Value& workflow);

/// What is to be done now for a workflow that has ended, or ended and is being deleted.
struct ArtifactGcPlan {
  struct Item {
    std::string node_id;
    std::size_t index;  ///< among the artifacts of the node's outputs
    std::string task;   ///< what the original calls the pod that deletes it
    std::string strategy;
    doc::Value location;  ///< in full
    std::string error{};  ///< why it could not be deleted; "": it is gone
  };
  std::vector<std::string> strategies;  ///< whose turn has come
  std::vector<Item> items;
};

/// `workflow` comes with its nodes. An error: it cannot be read.
Result<ArtifactGcPlan> plan_artifact_gc(const doc::Value& workflow);
/// What the status says once the items have been tried.
cluster::WorkflowStatusUpdate artifact_gc_results(const doc::Value& workflow, const ArtifactGcPlan& plan);
/// Nothing is left for which the workflow would have to stay, as after these results.
bool artifact_gc_done(const doc::Value& workflow, const ArtifactGcPlan& plan);

}  // namespace tiphys::controllers
