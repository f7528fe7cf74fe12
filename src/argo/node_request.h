// What a user asks of suspended nodes, put where the workflow controller finds it.
#pragma once

#include <functional>
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
  doc::Object labels{};  ///< that tell who asks: members of metadata.labels, null takes one away
};

/// Appends a request to the workflow's annotation, by a patch, or by an update where the caller may do that alone;
/// gives its id. kInvalidArgument for selectors with "!=".
void request_nodes(cluster::Cluster& cluster, const cluster::Key& workflow, const NodeRequest& request,
                   cluster::Done<std::string> done);

/// What the original refuses of a request: kFailedPrecondition when nothing that waits fits it, or not for such
/// parameters, or lacks a value to go on with.
Status check_request(const doc::Value& workflow, const NodeRequest& request);

/// Tells when the controller has carried out a request, or seems not to be there: after two seconds. `done` gets false
/// when it has left the request alone.
void await_request(Executor& executor, cluster::Cluster& cluster, const cluster::Key& workflow, const std::string& id,
                   std::move_only_function<void(bool taken)> done);

/// Does what was requested in the nodes themselves, and takes the request back: for controllers that know no requests,
/// as clients of the original do it (util.go, updateSuspendedNode and ResumeWorkflow). kFailedPrecondition: nothing
/// waits, or not for such parameters.
void set_nodes_instead(Executor& executor, cluster::Cluster& cluster, const cluster::Key& workflow, NodeRequest request,
                       cluster::Done<void> done);

}  // namespace tiphys::argo
