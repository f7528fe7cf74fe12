// Where a pod stands, by its status.phase.
#pragma once

#include "doc/value.h"

namespace tiphys::cluster {

/// It has come to its end and will not run again.
inline bool pod_ended(const doc::Value& pod) {
  const std::string_view phase = doc::find_string(pod, "status", "phase");
  return phase == "Succeeded" || phase == "Failed";
}

/// Nobody has anything more to do with it: it has ended, is not being deleted, and has no finalizers.
inline bool pod_over(const doc::Value& pod) {
  const doc::Value* finalizers = doc::find(pod, "metadata", "finalizers");
  return pod_ended(pod) && doc::find_string(pod, "metadata", "deletionTimestamp").empty() &&
         (!finalizers || !finalizers->is_array() || finalizers->get_array().empty());
}

/// The condition Ready; null: nothing is said of it.
inline const doc::Value* pod_ready_condition(const doc::Value& pod) {
  const doc::Value* conditions = doc::find(pod, "status", "conditions");
  if (!conditions || !conditions->is_array()) return nullptr;
  for (const doc::Value& one : conditions->get_array()) {
    if (doc::find_string(one, "type") == "Ready") return &one;
  }
  return nullptr;
}

/// Its containers take requests: the condition Ready holds.
inline bool pod_ready(const doc::Value& pod) {
  const doc::Value* ready = pod_ready_condition(pod);
  return ready && doc::find_string(*ready, "status") == "True";
}

/// It must not be begun: somebody has a gate before it.
inline bool pod_gated(const doc::Value& pod) {
  const doc::Value* gates = doc::find(pod, "spec", "schedulingGates");
  return gates && gates->is_array() && !gates->get_array().empty();
}

}  // namespace tiphys::cluster
