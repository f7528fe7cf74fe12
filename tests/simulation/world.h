// One simulated plane from its first workflow to the end of its last, with crashes on the way.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "doc/value.h"

namespace tiphys::simulation {

struct WorldOptions {
  std::uint64_t seed = 0;
  /// What goes wrong is drawn from this; 0: nothing does.
  std::uint64_t faults = 0;
};

struct WorldOutcome {
  /// What should not have happened; empty is good.
  std::vector<std::string> complaints;
  /// Of each workflow: its phase and message, and its nodes by name without times; JSON.
  std::map<std::string, std::string> trees;
  /// Of each workflow: its whole status, as it is stored; JSON.
  std::map<std::string, std::string> statuses;
  /// The trees do not depend on what happens when.
  bool same_every_time = false;
  std::size_t crashes = 0;
  std::size_t nodes = 0;
};

WorldOutcome run_world(const WorldOptions& options);

}  // namespace tiphys::simulation
