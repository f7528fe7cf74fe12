// retryStrategy.affinity.nodeAntiAffinity: attempts run on other machines than those that failed.
#pragma once

#include <string>
#include <vector>

#include "engine/node.h"

namespace tiphys::engine {

/// A pod's affinity with one that keeps it off these hosts, merged as the original merges it (util/retry).
doc::Value with_hosts_avoided(const doc::Value* affinity, const std::vector<std::string>& hosts);

/// The document of the template that `index` is to run, with such an affinity when it is an attempt, or directly within
/// one, whose retry strategy asks for it and earlier ones have failed; else the document as it is.
doc::Shared avoid_failed_hosts(const NodeTable& nodes, NodeIndex index, const api::WorkflowSpec& spec,
                               doc::Shared document);

}  // namespace tiphys::engine
