// A retry that a user asks for: a workflow that has ended goes on where it failed.
#pragma once

#include <string>
#include <vector>

#include "argo/node_selector.h"
#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::argo {

struct RetryOptions {
  bool restart_successful = false;
  NodeSelector selector{};                ///< with restart_successful: nodes that run again even if they succeeded
  std::vector<std::string> parameters{};  ///< "name=value": overrides, also of what came with the workflow's template
  doc::Object labels{};                   ///< that tell who asks: members of metadata.labels, null takes one away
};

/// Asks for it, and gives the workflow as it goes on, nodes included. kFailedPrecondition: it has not failed.
void retry_workflow(Executor& executor, cluster::Cluster& cluster, const cluster::Key& workflow,
                    const RetryOptions& options, cluster::Done<doc::Value> done);

/// The same of a workflow without an object, as the archive has it: it is made anew, with a UID of its own.
/// kAlreadyExists: there is one of its name.
void retry_gone_workflow(Executor& executor, cluster::Cluster& cluster, const doc::Value& archived,
                         const RetryOptions& options, cluster::Done<doc::Value> done);

}  // namespace tiphys::argo
