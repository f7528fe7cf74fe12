// The lock table of all runs of a controller, and where the limits of semaphores come from.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/synchronization.h"
#include "base/executor.h"
#include "cluster/cluster.h"
#include "engine/run.h"

namespace tiphys::controllers {

/// Limits are watched as long as somebody holds or awaits a lock: a change takes effect when it is on disk. Those of
/// database semaphores are SyncLimits, the others values in ConfigMaps. A semaphore without a limit refuses who asks
/// first; one that loses it keeps the last.
class Locks {
 public:
  Locks(Executor& executor, cluster::Cluster& cluster, Duration retry);
  ~Locks();
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;

  /// What a workflow's status says that it holds. `workflow` is "NAMESPACE/NAME".
  void restore(const doc::Value& workflow);
  /// From now on wishes are decided: all that waited before a restart has been heard.
  void open();

  using Answered = std::function<void(engine::LocksAnswered)>;
  /// `done` is called whenever there is news, also at once.
  void acquire(engine::AcquireLocks request, Answered done);
  void release(const std::string& holder);
  /// A workflow is over, or gone.
  void release_workflow(const std::string& workflow);

 private:
  class State;
  std::shared_ptr<State> state_;
};

/// The object that keeps the limit of a database semaphore: keys may be what no object's name may be.
std::string sync_limit_name(std::string_view key);

}  // namespace tiphys::controllers
