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

/// One that is carried out by a T, which has cancel().
template <typename T>
class CancellableAction final : public RunningAction {
 public:
  explicit CancellableAction(std::shared_ptr<T> action) : action_(std::move(action)) {}
  ~CancellableAction() override { action_->cancel(); }

 private:
  std::shared_ptr<T> action_;
};

class AgentPod;

struct ActionRequest {
  std::string ns;  ///< of the workflow, and of objects that name none
  std::string workflow_name;
  std::string workflow_uid;
  engine::RunAction run;
  std::shared_ptr<AgentPod> agent_pod{};  ///< of the workflow: for plugin templates, null for others
  /// Of data templates and manifestFrom: where artifacts lie that name a key alone.
  doc::Object archive_location{};
};

class ActionRunner {
 public:
  using Changed = std::move_only_function<void(engine::ActionChanged)>;
  virtual ~ActionRunner() = default;
  /// Does what the template says, again after a crash. `changed` is called later, unless the action is destroyed
  /// before: the last time with a phase that is an end.
  virtual std::unique_ptr<RunningAction> run(ActionRequest request, Changed changed) = 0;
};

}  // namespace tiphys::controllers
