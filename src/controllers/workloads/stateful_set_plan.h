// What is to be done about a StatefulSet (k8s.io/kubernetes/pkg/controller/statefulset): a pure function of what there
// is.
#pragma once

#include <optional>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

/// What belongs to it.
struct StatefulSetParts {
  std::vector<cluster::Object> pods{};
  std::vector<cluster::Object> revisions{};
  std::vector<cluster::Object> claims{};  ///< those of its namespace
};

struct StatefulSetPlan {
  std::optional<doc::Value> create_revision{};
  std::optional<doc::Value> update_revision{};
  std::vector<cluster::Object> remove_revisions{};
  std::vector<doc::Value> create_claims{}, update_claims{};
  std::vector<doc::Value> create_pods{}, update_pods{};
  std::vector<cluster::Object> remove_pods{};
  doc::Object status{};
  std::optional<Time> look_again{};
};

StatefulSetPlan plan_stateful_set(const doc::Value& set, const StatefulSetParts& parts, Time now);
/// The number in a pod's name when it is one of the set's; nullopt else.
std::optional<std::int64_t> ordinal_of(const doc::Value& set, const doc::Value& pod);

}  // namespace tiphys::controllers::workloads
