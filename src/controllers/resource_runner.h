// Resource templates: get, create, apply, patch, replace and delete objects of the plane as the original's executor
// does with kubectl, await conditions, read outputs. Original: workflow/executor/resource.go.
#pragma once

#include <functional>
#include <memory>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "controllers/action_runner.h"

namespace tiphys::controllers {

class ResourceRunner final : public ActionRunner {
 public:
  /// Runs what blocks: jq filters are child processes. The job may run on another thread.
  using Offload = std::function<void(std::move_only_function<void()> job)>;

  ResourceRunner(Executor& executor, cluster::Cluster& cluster, Offload offload)
      : executor_(executor), cluster_(cluster), offload_(std::move(offload)) {}

  /// Repeating it after a crash finds the object that the first attempt created; what has been done to an object stays.
  std::unique_ptr<RunningAction> run(ActionRequest request, Changed changed) override;

 private:
  Executor& executor_;
  cluster::Cluster& cluster_;
  Offload offload_;
};

}  // namespace tiphys::controllers
