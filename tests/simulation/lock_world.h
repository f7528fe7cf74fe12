// Workflows that compete for mutexes and semaphores, over one controller: what is on disk is looked at after each
// commit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulation/disturbed_cluster.h"

namespace tiphys::simulation {

struct LockWorldOptions {
  std::uint64_t seed = 1;
  std::size_t crashes = 0;
  std::size_t failing_commits_percent = 0;
  Disturbances disturbances{};
  bool meddles = false;  ///< workflows are terminated and deleted
  /// So many of them are under way at a time; 0: no limit. Not beside a world without crashes, faults and meddling.
  std::int64_t parallelism = 0;
};

struct LockWorldOutcome {
  std::vector<std::string> complaints;
  std::size_t waits = 0;  ///< holders that had to wait, as far as that was on disk
  std::size_t crashes = 0;
};

LockWorldOutcome run_lock_world(const LockWorldOptions& options);

}  // namespace tiphys::simulation
