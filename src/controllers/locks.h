// The lock table of all runs of a controller, and where the limits of semaphores come from.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/synchronization.h"
#include "base/executor.h"
#include "cluster/cluster.h"
#include "engine/lock_table.h"
#include "engine/run.h"

namespace tiphys::controllers {

/// How many hold a lock, and how many wait for it.
struct LockUse {
  engine::LockName name;
  std::size_t held = 0, awaited = 0;
};

/// Limits are watched as long as somebody holds or awaits a lock: a change takes effect when it is on disk. Those of
/// database semaphores are SyncLimits, the others values in ConfigMaps. A semaphore without a limit refuses who asks
/// first; one that loses it keeps the last.
class Locks {
 public:
  /// `taken` is told of each lock that somebody gets; it may be empty.
  using Taken = std::function<void(const engine::LockName& lock)>;
  Locks(Executor& executor, cluster::Cluster& cluster, Duration retry, Taken taken = {});
  ~Locks();
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;

  /// A workflow comes to light: it holds what its status says. What a namesake that is gone has left is free.
  void take_up(const doc::Value& workflow);
  /// From now on wishes are decided: all that waited before a restart has been heard.
  void open();

  using Answered = std::function<void(engine::LocksAnswered)>;
  /// `done` is called whenever there is news, also at once.
  void acquire(engine::AcquireLocks request, Answered done);
  void release(const std::string& holder);
  /// A workflow, "NAMESPACE/NAME", is over, or gone.
  void release_workflow(const std::string& workflow);
  /// All but these are gone.
  void keep(const std::function<bool(const std::string& workflow)>& lives);
  void set_priority(const std::string& workflow, std::int64_t priority);
  /// All locks that somebody holds or waits for.
  std::vector<LockUse> uses() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::controllers
