// Events that this node tells of: warnings that a person has to act on.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::node {

class NodeEvents {
 public:
  struct Subject {
    const cluster::Resource* resource = nullptr;
    std::string ns, name, uid;
  };
  /// A pod as one.
  static Subject subject_of(const doc::Value& pod);

  /// `component` is who tells: "kubelet".
  NodeEvents(Executor& executor, cluster::Cluster& cluster, std::string component, std::string node_name)
      : executor_(executor), cluster_(cluster), component_(std::move(component)), node_name_(std::move(node_name)) {}

  /// The same again is counted, across restarts too. That one is lost is told to the log alone.
  void warn(const Subject& subject, std::string_view reason, std::string_view message);

 private:
  void count(const cluster::Key& key);

  Executor& executor_;
  cluster::Cluster& cluster_;
  std::string component_, node_name_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tiphys::node
