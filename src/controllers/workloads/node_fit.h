// Whether a DaemonSet has its pod run on a node (k8s.io/kubernetes/pkg/controller/daemon,
// component-helpers/scheduling).
#pragma once

#include "doc/value.h"

namespace tiphys::controllers::workloads {

struct NodeFit {
  bool runs = false;   ///< a pod is made there
  bool stays = false;  ///< one that is there is left
};
/// `pod_spec` is that of the template: its nodeName, nodeSelector, required node affinity and tolerations count, and
/// what pods of DaemonSets tolerate anyway.
NodeFit node_fit(const doc::Value& node, const doc::Value& pod_spec);

/// Gives a pod's spec what such pods tolerate anyway, and the one node that it is for.
void bind_to_node(doc::Object& pod_spec, std::string_view node_name);
/// The node that a pod is on, or is for; "" when there is none.
std::string_view target_node(const doc::Value& pod);

}  // namespace tiphys::controllers::workloads
