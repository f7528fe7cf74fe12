// A node agent whose containers are numbers: when they end, and how, is fixed by the seed and the node's name.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "simulation/chance.h"
#include "simulation/fake_artifacts.h"

namespace tiphys::simulation {

/// What the supervisor's disk and the processes would be: it outlives every crash.
struct Host {
  struct Container {
    std::string node_id;
    Time started_at{};
    Time ends_at{};    ///< kNever: somebody ends it
    bool cut = false;  ///< it was ended by a signal
  };
  static constexpr Time kNever = Time::max();
  std::map<std::string, Container> containers;  ///< by pod uid
  std::set<std::string> removed;                ///< names of pods that somebody or the agent has deleted
  FakeArtifacts artifacts;
  std::map<std::string, int> starts;  ///< by workflow and node id: how often its main container started
};

/// What becomes of pods that no node expects.
struct NodeFaults {
  std::size_t evicted_percent = 0;  ///< the machine has no room for it any more
  std::size_t removed_percent = 0;  ///< somebody deletes it while it runs
};

class FakeAgent {
 public:
  /// `outcomes` seeds what containers do; `chance` how long the agent takes, and what fails.
  FakeAgent(Executor& executor, cluster::Cluster& cluster, Host& host, std::uint64_t outcomes, Chance& chance,
            NodeFaults faults = {});
  ~FakeAgent();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::simulation
