// What is to be done about a Deployment, one step a look (k8s.io/kubernetes/pkg/controller/deployment).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

struct DeploymentPlan {
  std::optional<doc::Value> create{};     ///< the ReplicaSet of its newest template
  std::vector<doc::Value> update{};       ///< ReplicaSets with other numbers or annotations
  std::vector<cluster::Object> remove{};  ///< ReplicaSets beyond its history
  std::string revision{};                 ///< for its annotation; "": as it is
  doc::Object status{};
  std::optional<Time> look_again{};
  struct Note {
    std::string reason, message;
  };
  std::vector<Note> notes{};
};

/// `replica_sets` are its own, `pods` those of them.
DeploymentPlan plan_deployment(const doc::Value& deployment, const std::vector<cluster::Object>& replica_sets,
                               const std::vector<cluster::Object>& pods, Time now);

}  // namespace tiphys::controllers::workloads
