// What is to be done about a ReplicaSet (k8s.io/kubernetes/pkg/controller/replicaset).
#pragma once

#include <optional>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

struct ReplicaSetPlan {
  std::vector<doc::Value> create{};
  std::vector<cluster::Object> remove{};
  doc::Object status{};
  std::optional<Time> look_again{};
};

/// `pods` are its own.
ReplicaSetPlan plan_replica_set(const doc::Value& replica_set, const std::vector<cluster::Object>& pods, Time now);

}  // namespace tiphys::controllers::workloads
