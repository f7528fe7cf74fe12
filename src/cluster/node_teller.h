// The nodes of one workflow as they change, from watch events that have all of them.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "cluster/cluster.h"

namespace tiphys::cluster {

class NodeTeller {
 public:
  NodeTeller(std::string workflow, Cluster::NodeSink sink) : name_(std::move(workflow)), sink_(std::move(sink)) {}

  /// An event of a watch of the workflow alone, with status.nodes. What the sink is told may destroy this.
  void take(const WatchEvent& event);
  /// Once; nothing is told afterwards.
  void end(Error error);

 private:
  void tell_changes(const doc::Value& workflow);

  std::string name_, uid_;
  Cluster::NodeSink sink_;
  std::unordered_map<std::string, std::string> told_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tiphys::cluster
