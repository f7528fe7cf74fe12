// A watch of objects: a list first where it is asked for, then changes, over as many connections as it takes.
#pragma once

#include "cluster/cluster.h"
#include "kube/api.h"

namespace tiphys::kube {

struct ObjectWatchOptions {
  cluster::WatchOptions watch{};
  bool with_nodes = false;  ///< Workflows come with status.nodes
  /// True for a change that is not told of: one that the reader has made.
  std::function<bool(const doc::Value& object)> own_change{};
};

/// A connection that ends, by its time or a failure, is followed by another, from the last version on, after a while
/// that grows with failures. It ends with kOutOfRange when the server does not remember that version any more (the
/// reader lists anew), and with what else another attempt would not better.
std::unique_ptr<cluster::Watch> watch_objects(const std::shared_ptr<Api>& api, const cluster::Resource& resource,
                                              ObjectWatchOptions options, cluster::WatchSink sink);

}  // namespace tiphys::kube
