// What the plane does itself for a node, without a pod.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/run.h"

namespace tiphys::controllers {

/// One action under way. Destroying it ends it as far as it has not been done yet.
class RunningAction {
 public:
  virtual ~RunningAction() = default;
};

struct ActionRequest {
  std::string ns;  ///< of the workflow, and of objects that name none
  std::string workflow_name;
  std::string workflow_uid;
  engine::RunAction run;
};

class ActionRunner {
 public:
  using Finished = std::move_only_function<void(engine::ActionFinished)>;
  virtual ~ActionRunner() = default;
  /// Does what the template says, again after a crash. `done` is called once, later, unless the action is destroyed
  /// before.
  virtual std::unique_ptr<RunningAction> run(ActionRequest request, Finished done) = 0;
};

}  // namespace tiphys::controllers
