// Taints of nodes, and which pods tolerate them (k8s.io/component-helpers/scheduling/corev1).
#pragma once

#include <algorithm>
#include <string_view>

#include "doc/value.h"

namespace tiphys::cluster {

/// Of a node that is cordoned, with the effect NoSchedule.
inline constexpr std::string_view kUnschedulableTaint = "node.kubernetes.io/unschedulable";

inline bool tolerates(const doc::Value& toleration, const doc::Value& taint) {
  const auto effect = doc::find_string(toleration, "effect");
  if (!effect.empty() && effect != doc::find_string(taint, "effect")) return false;
  const auto key = doc::find_string(toleration, "key");
  if (!key.empty() && key != doc::find_string(taint, "key")) return false;
  const auto operation = doc::find_string(toleration, "operator");
  if (operation == "Exists") return true;
  if (!operation.empty() && operation != "Equal") return false;
  return !key.empty() && doc::find_string(toleration, "value") == doc::find_string(taint, "value");
}

/// `pod_spec` may be that of a template.
inline bool pod_tolerates(const doc::Value& pod_spec, const doc::Value& taint) {
  const doc::Value* tolerations = doc::find(pod_spec, "tolerations");
  return tolerations && tolerations->is_array() &&
         std::ranges::any_of(tolerations->get_array(), [&](const doc::Value& one) { return tolerates(one, taint); });
}

/// It keeps new pods away.
inline bool is_hard(const doc::Value& taint) {
  const auto effect = doc::find_string(taint, "effect");
  return effect == "NoSchedule" || effect == "NoExecute";
}

}  // namespace tiphys::cluster
