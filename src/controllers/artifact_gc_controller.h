// Deletes the artifacts of workflows that ask for it, at their end or before they go.
#pragma once

#include <memory>
#include <string>

#include "artifact/stores.h"
#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::controllers {

struct ArtifactGcControllerOptions {
  std::string ns{};  ///< "": all namespaces
  /// What the plane refuses is tried again after this.
  Duration retry = std::chrono::seconds(1);
};

/// A workflow is watched once it has ended; after a restart what was begun is done again: what is gone already counts
/// as deleted.
class ArtifactGcController {
 public:
  ArtifactGcController(Executor& executor, cluster::Cluster& cluster, const artifact::Stores& stores,
                       ArtifactGcControllerOptions options = {});
  ~ArtifactGcController();
  ArtifactGcController(const ArtifactGcController&) = delete;
  ArtifactGcController& operator=(const ArtifactGcController&) = delete;

  void start();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::controllers
