// Workflows by chance: steps, dags, loops, retries, conditions, exit handlers, suspension, memoization, parallelism,
// templates of other objects.
#pragma once

#include <string>
#include <vector>

#include "doc/value.h"
#include "simulation/chance.h"

namespace tiphys::simulation {

struct WorkflowChoices {
  std::string name;
  /// True: nothing whose outcome depends on what ends first, so that every run of it gives the same nodes.
  bool same_every_time = true;
  /// Levels of steps and dags around the leaves.
  int depth = 3;
};

struct RandomManifest {
  doc::Value workflow;
  doc::Value library;  ///< the WorkflowTemplate that has some of its templates; null when none
};

/// A Workflow. Its leaves are containers that the fake agent plays: args are [kind, percent that fail].
RandomManifest random_workflow(Chance& chance, const WorkflowChoices& choices);

}  // namespace tiphys::simulation
