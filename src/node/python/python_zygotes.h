// The interpreters that a supervisor keeps, which fork for steps.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "node/python/warm_python.h"
#include "node/supervisor/root_pool.h"
#include "node/supervisor/step_starter.h"

namespace tiphys::node {

/// At most kMost at once: the one that was asked for longest ago makes room. One that has ended is started again when
/// it is asked for, unless that never goes well. All end with this process.
class PythonZygotes {
 public:
  static constexpr std::size_t kMost = 4;

  PythonZygotes(StepStarter& starter, RootPool& roots, StepMemory& memory)
      : starter_(starter), roots_(roots), memory_(memory) {}

  /// The path at which an init asks it, which may have to wait until it is up; "" when steps start their own.
  std::string socket_of(const WarmPython& wanted);
  /// A process has been reaped: with its status, as wait(2) gives it.
  void ended(pid_t pid, int status);
  /// Sentences for the user that have come up since the last call.
  std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Zygote {
    WarmPython what;
    pid_t pid = -1;
    std::string root;    ///< in the pool
    std::string socket;  ///< below the data directory
    Clock::time_point begun;
    bool leaving = false;
  };

  Result<Zygote> start(const WarmPython& what);
  void make_room();
  void failed(const WarmPython& what, const std::string& why);

  StepStarter& starter_;
  RootPool& roots_;
  StepMemory& memory_;
  std::list<Zygote> zygotes_;                         ///< the one that was asked for last is the last
  std::vector<std::pair<WarmPython, int>> failures_;  ///< in a row, of those that have ended too soon
  std::uint64_t last_socket_ = 0;
  std::vector<std::string> notices_;
};

}  // namespace tiphys::node
