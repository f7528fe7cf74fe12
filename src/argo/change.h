// A change of an object that others may change at the same time.
#pragma once

#include <functional>

#include "cluster/cluster.h"

namespace tiphys::argo {

/// Edits the newest state, again where it was overtaken. An error of `edit` is the whole's.
void change(cluster::Cluster& cluster, const cluster::Key& key,
            std::move_only_function<Status(doc::Value& object)> edit, cluster::Done<cluster::Object> done);

}  // namespace tiphys::argo
