// Somebody who resumes what waits for a person, and now and then suspends or stops a workflow.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "simulation/chance.h"

namespace tiphys::simulation {

class FakeUser {
 public:
  /// `meddles`: also suspends and stops workflows.
  FakeUser(Executor& executor, cluster::Cluster& cluster, std::vector<std::string> workflows, bool meddles,
           Chance& chance);
  ~FakeUser();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::simulation
