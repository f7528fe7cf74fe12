// A node agent whose containers are numbers: when they end, and how, is fixed by the seed and the node's name.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "simulation/chance.h"

namespace tiphys::simulation {

/// What the supervisor's disk and the processes would be: it outlives every crash.
struct Host {
  struct Container {
    std::string node_id;
    Time started_at{};
    Time ends_at{};
  };
  std::map<std::string, Container> containers;  ///< by pod uid
  std::map<std::string, int> starts;            ///< by workflow and node id: how often its main container started
};

class FakeAgent {
 public:
  /// `outcomes` seeds what containers do; `chance` how long the agent takes.
  FakeAgent(Executor& executor, cluster::Cluster& cluster, Host& host, std::uint64_t outcomes, Chance& chance);
  ~FakeAgent();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::simulation
