// A change of an object that others may change at the same time.
#pragma once

#include <functional>

#include "cluster/cluster.h"

namespace tiphys::argo {

/// Edits the newest state, again where it was overtaken. An error of `edit` is the whole's. Nodes of a workflow are
/// left as they are.
void change(cluster::Cluster& cluster, const cluster::Key& key,
            std::move_only_function<Status(doc::Value& object)> edit, cluster::Done<cluster::Object> done);

/// Merges `patch` into the newest state (RFC 7396): by a patch, or by an update where the caller may do that alone.
void merge(cluster::Cluster& cluster, const cluster::Key& key, doc::Value patch, cluster::Done<cluster::Object> done);

}  // namespace tiphys::argo
