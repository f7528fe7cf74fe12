// The one thread on which engine, controllers and store logic run, seen as a queue and a clock.
//
// The program drives it with Asio (base/asio_executor.h); the simulation with virtual time. Nothing that takes an
// Executor may block or touch the system clock, so that a seed replays a run.
#pragma once

#include <cstdint>
#include <functional>

#include "base/time.h"

namespace tiphys {

class Executor {
 public:
  using Task = std::move_only_function<void()>;
  /// Names a pending timer; 0 names none.
  using TimerId = std::uint64_t;

  virtual ~Executor() = default;

  /// Wall-clock time. It can jump; measure intervals with timers.
  virtual Time now() = 0;
  /// Runs `task` on the executor's thread after the current one has returned, in order of posting. Any thread may call
  /// this.
  virtual void post(Task task) = 0;
  /// Runs `task` on the executor's thread once now() has reached `when`. Executor's thread only.
  virtual TimerId schedule(Time when, Task task) = 0;
  /// Forgets a timer; one that has run or is unknown is ignored. Executor's thread only.
  virtual void cancel(TimerId timer) = 0;
};

}  // namespace tiphys
