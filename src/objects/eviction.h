// When a pod may be evicted (k8s.io/kubernetes/pkg/registry/core/pod/storage/eviction.go): what its budget says of it,
// whose numbers are counted by controllers/workloads/disruption_controller.h.
#pragma once

#include <span>
#include <string_view>

#include "base/time.h"
#include "cluster/cluster.h"
#include "objects/refusal.h"

namespace tiphys::objects {

/// 400 for a body that is no Eviction of this pod.
Outcome<void> check_eviction(const doc::Value& body, std::string_view pod);

/// The budget that must allow an eviction, and counts it: count_disruption(). Null where none matters: the pod does not
/// run, or has none, or is not healthy and may go. `budgets` are those of the pod's namespace. 500 for a pod that has
/// more than one.
Outcome<cluster::Object> counting_budget(const doc::Value& pod, std::span<const cluster::Object> budgets);

/// The budget once this pod is evicted. 429 where it does not allow that, with the cause DisruptionBudget.
Outcome<doc::Value> count_disruption(const doc::Value& budget, std::string_view pod, Time now);

/// The pod with a condition that tells why it goes.
doc::Value mark_evicted(const doc::Value& pod, Time now);

}  // namespace tiphys::objects
