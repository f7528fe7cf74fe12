// The storage that a workflow claims for itself (spec.volumeClaimTemplates) and gives back (spec.volumeClaimGC).
// Original: createPVCs and deletePVCs of workflow/controller/operator.go.
#pragma once

#include <string>
#include <vector>

#include "cluster/cluster.h"
#include "engine/run.h"

namespace tiphys::controllers {

class WorkflowClaims {
 public:
  /// Claims nothing.
  WorkflowClaims() = default;
  /// Of a validated spec whose own variables are substituted; names are <workflow>-<claim>.
  static WorkflowClaims of(const doc::Value& spec, const std::string& workflow_name, const std::string& workflow_uid);

  bool empty() const { return documents_.empty(); }
  /// The PersistentVolumeClaims to create.
  const std::vector<doc::Value>& documents() const { return documents_; }
  /// By which volumes the workflow's pods refer to them: status.persistentVolumeClaims while they exist.
  doc::Array volumes() const;
  /// They are deleted with the workflow's end in this phase; else they go when the workflow is deleted.
  bool given_back(engine::RunStatus::Phase phase) const;

 private:
  std::vector<std::string> names_;  ///< as the workflow calls them
  std::vector<doc::Value> documents_;
  bool on_completion_ = false;
};

/// Creates those claims that do not exist yet. An error is the first one's.
void make_claims(cluster::Cluster& cluster, const std::string& ns, const WorkflowClaims& claims,
                 const std::string& workflow_uid, cluster::Done<void> done);
/// Deletes the claims that volumes() tells of; `done` gets the first error, with the others deleted.
void remove_claims(cluster::Cluster& cluster, const std::string& ns, const WorkflowClaims& claims,
                   cluster::Done<void> done);

}  // namespace tiphys::controllers
