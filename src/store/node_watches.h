// Watches of the nodes of single workflows.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/change.h"
#include "store/disk_reader.h"
#include "store/poster.h"

namespace tiphys::store {

class NodeWatch;

class NodeWatches {
 public:
  using Sink = cluster::Cluster::NodeSink;

  explicit NodeWatches(DiskReader& disk) : disk_(disk) {}

  /// A watch that does nothing until it is started.
  std::shared_ptr<NodeWatch> make(Sink sink);
  static std::unique_ptr<cluster::Watch> handle(std::shared_ptr<NodeWatch> watch);
  /// Gives the nodes that exist, then each change. With an error for the workflow's uid it ends the watch.
  void start(const std::shared_ptr<NodeWatch>& watch, const Result<std::string>& workflow_uid);
  void dispatch(const Change& change);

 private:
  DiskReader& disk_;
  std::map<std::string, std::vector<std::shared_ptr<NodeWatch>>, std::less<>> watches_;
};

}  // namespace tiphys::store
