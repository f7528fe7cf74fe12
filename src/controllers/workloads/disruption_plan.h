// What a PodDisruptionBudget's status is to say (k8s.io/kubernetes/pkg/controller/disruption).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

/// What the owners of the pods want in all.
struct WantedPods {
  std::int64_t count = 0;
  bool unmanaged = false;  ///< some pods have no owner that wants a number of them
};

struct DisruptionPlan {
  doc::Object status{};
  std::optional<Time> look_again{};
  std::vector<cluster::Object> not_deleted{};  ///< pods that somebody evicted and nobody deleted
};

/// Whether it counts by what the owners of the pods want, not by the pods that are there.
bool counts_wanted(const doc::Value& budget);

/// `pods` are all that the budget selects; `wanted` matters where counts_wanted().
DisruptionPlan plan_disruptions(const doc::Value& budget, const std::vector<cluster::Object>& pods,
                                const WantedPods& wanted, Time now);
/// The status when the pods cannot be counted: nothing may be evicted.
doc::Object failed_disruptions(const doc::Value& budget, std::string_view why, Time now);

}  // namespace tiphys::controllers::workloads
