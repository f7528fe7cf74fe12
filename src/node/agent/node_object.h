// This machine as a Node of Kubernetes.
#pragma once

#include <string>

#include "base/time.h"
#include "doc/value.h"

namespace tiphys::node {

struct NodeFacts {
  std::string name;
  double cpus = 1;
  double memory_bytes = 0;
  std::string version;  ///< of the API that the plane speaks: "v1.34.4+tiphys.0.1.0"
};

/// Ready, with the system's own facts (uname, /etc/os-release).
doc::Value node_object(const NodeFacts& facts, Time now);

/// Its Lease, which says that it lives: whoever can read it has reached the node, so that it holds for a year and is
/// not renewed.
inline constexpr const char* kNodeLeases = "kube-node-lease";  ///< the namespace
doc::Value node_lease(const NodeFacts& facts, Time now);

}  // namespace tiphys::node
