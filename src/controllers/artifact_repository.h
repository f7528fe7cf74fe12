// Where the artifacts of a workflow go that name no place of their own. Original: workflow/artifactrepositories,
// addArchiveLocation in workflow/controller/workflowpod.go.
#pragma once

#include <string_view>

#include "api/node_status.h"
#include "api/workflow.h"
#include "cluster/cluster.h"
#include "expr/ambient.h"
#include "expr/text_template.h"

namespace tiphys::controllers {

/// What the spec's artifactRepositoryRef, or the namespace's ConfigMap artifact-repositories, names: the document of
/// status.artifactRepositoryRef. {"default": true, ...} is what the configuration has (`configured`), or when that is
/// null the plane's own repository. An error of kInvalidArgument is the workflow's, others are the plane's.
void find_artifact_repository(cluster::Cluster& cluster, const std::string& ns, const doc::Value& spec,
                              const doc::Shared& configured, cluster::Done<doc::Value> done);

/// Where an artifact of the node's status lies: {"s3": {...}}, in full. Null when it names no place.
doc::Value artifact_location(const api::Workflow& workflow, const api::NodeStatus& node, const doc::Value& artifact);

/// The template's archiveLocation names a store.
bool has_own_archive(const doc::Value& pod_template);

class ArtifactRepository {
 public:
  /// The plane's own.
  ArtifactRepository() = default;
  /// That of a status.artifactRepositoryRef; the workflow's own variables in its keys are substituted.
  static Result<ArtifactRepository> of(const doc::Value& ref_status, const api::Workflow& workflow,
                                       const expr::Ambient& ambient);

  /// The logs of pods are artifacts too, whatever workflow and template say.
  bool archives_logs() const { return archives_logs_; }
  /// Where the artifacts of a template's pod go: {"s3": {..., "key": "folder of the pod"}}, all variables substituted.
  Result<doc::Object> location(const doc::Value& pod_template, std::string_view workflow_name,
                               std::string_view pod_name) const;

 private:
  expr::DocumentTemplate location_;  ///< null: the plane's own
  bool archives_logs_ = false;
};

}  // namespace tiphys::controllers
