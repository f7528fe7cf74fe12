// Resource templates: get, create, apply, patch, replace and delete objects of the plane as the original's executor
// does with kubectl, await conditions, read outputs. Original: workflow/executor/resource.go.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "engine/run.h"

namespace tiphys::controllers {

/// One action under way. Destroying it ends the waiting; what has been done to the object stays.
class ResourceAction {
 public:
  virtual ~ResourceAction() = default;
};

struct ResourceRequest {
  std::string ns;  ///< of the workflow, and of objects that name none
  std::string workflow_name;
  std::string workflow_uid;
  engine::RunResource run;
};

class ResourceRunner {
 public:
  /// Runs what blocks: jq filters are child processes. The job may run on another thread.
  using Offload = std::function<void(std::move_only_function<void()> job)>;

  ResourceRunner(Executor& executor, cluster::Cluster& cluster, Offload offload)
      : executor_(executor), cluster_(cluster), offload_(std::move(offload)) {}

  using Finished = std::move_only_function<void(engine::ResourceFinished)>;
  /// Does what the template says; repeating it after a crash finds the object that the first attempt created. `done` is
  /// called once, later, unless the action is destroyed before.
  std::unique_ptr<ResourceAction> run(ResourceRequest request, Finished done);

 private:
  Executor& executor_;
  cluster::Cluster& cluster_;
  Offload offload_;
};

}  // namespace tiphys::controllers
