// resource.manifestFrom: the manifest of a resource template is one of its input artifacts. Original:
// cmd/argoexec/commands/resource.go.
#pragma once

#include "artifact/stores.h"
#include "base/workers.h"
#include "cluster/cluster.h"
#include "controllers/action_runner.h"

namespace tiphys::controllers {

class ManifestRunner final : public ActionRunner {
 public:
  /// `stores` null: this plane has no artifacts, and their nodes fail. `resources` does what the manifest says.
  ManifestRunner(cluster::Cluster& cluster, Workers& workers, artifact::Stores* stores, ActionRunner& resources)
      : cluster_(cluster), workers_(workers), stores_(stores), resources_(resources) {}

  std::unique_ptr<RunningAction> run(ActionRequest request, Changed changed) override;

 private:
  cluster::Cluster& cluster_;
  Workers& workers_;
  artifact::Stores* stores_;
  ActionRunner& resources_;
};

}  // namespace tiphys::controllers
