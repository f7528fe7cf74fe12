// What is to be done about a ReplicaSet or a ReplicationController (k8s.io/kubernetes/pkg/controller/replicaset).
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

/// `kind` is what `replica_set` is; `pods` are its own.
ReplicaSetPlan plan_replica_set(const cluster::Resource& kind, const doc::Value& replica_set,
                                const std::vector<cluster::Object>& pods, Time now);

}  // namespace tiphys::controllers::workloads
