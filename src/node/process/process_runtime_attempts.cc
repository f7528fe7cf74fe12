// Running a step's command again. After a crash the supervisor tells of the attempts one after the other, as they
// ended.
#include "node/process/attempt_id.h"
#include "node/process/process_runtime.h"

namespace tiphys::node {

bool ProcessRuntime::runs_again(const Step& step, const StepOutcome& outcome) const {
  return step.attempt < step.attempts && !step.stopped && !step.removed && !outcome.failed_to_start &&
         outcome.exit.exit_code != 0 && outcome.exit.reason != "ContainerStatusUnknown";
}

void ProcessRuntime::run_again(const std::string& id, Step& step, StepOutcome outcome) {
  step.attempt += 1;
  step.request.id = attempt_id(id, step.attempt);
  step.request.has_root = step.has_root;
  step.sent = step.started = step.preparing = false;
  step.inputs.clear();
  step.pid = 0;
  const Time due = outcome.exit.finished_at + step.pause;
  step.failed = std::move(outcome.exit);
  executor_.schedule(due, [this, key = id, attempt = step.attempt, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) begin_attempt(key, attempt);
  });
  if (auto on_started = std::move(step.on_started)) on_started({});
}

/// An earlier program may have begun it.
void ProcessRuntime::begin_attempt(const std::string& id, int attempt) {
  const auto found = steps_.find(id);
  if (found == steps_.end() || found->second.ended || found->second.attempt != attempt) return;
  Step& step = found->second;
  const auto known = reported_.find(step.request.id);
  if (known == reported_.end()) return send_start(found->first, step);
  Reported report = std::move(known->second);
  reported_.erase(known);
  step.sent = true;
  step.failed.reset();
  replay(found->first, std::move(report));
}

/// It was stopped before its next attempt.
void ProcessRuntime::give_up_attempt(const std::string& id) {
  const auto found = steps_.find(id);
  if (found == steps_.end() || found->second.ended || !found->second.failed) return;
  ended(found->first, found->second, std::move(*found->second.failed));
}

}  // namespace tiphys::node
