// What a user asks of suspended nodes, put where the workflow controller finds it.
#pragma once

#include <string>

#include "argo/node_selector.h"
#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::argo {

struct NodeRequest {
  NodeSelector selector{};  ///< empty: all that wait
  std::string phase{};      ///< "" leaves it
  std::string message{};
  doc::Object output_parameters{};
};

/// Appends a request to the workflow's annotation; gives its id. kInvalidArgument for selectors with "!=".
void request_nodes(cluster::Cluster& cluster, const cluster::Key& workflow, const NodeRequest& request,
                   cluster::Done<std::string> done);

/// Tells when the controller has carried out a request, or seems not to be there: after two seconds.
void await_request(Executor& executor, cluster::Cluster& cluster, const cluster::Key& workflow, const std::string& id,
                   Executor::Task done);

}  // namespace tiphys::argo
