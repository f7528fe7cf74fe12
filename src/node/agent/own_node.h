// Which new pods this machine takes, by a watch of its Node: while it is cordoned or has taints, those alone that
// tolerate that. What has begun goes on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::node {

class OwnNode : public std::enable_shared_from_this<OwnNode> {
 public:
  OwnNode(Executor& executor, cluster::Cluster& cluster, std::string name)
      : executor_(executor), cluster_(cluster), name_(std::move(name)) {}

  void start();
  /// Once its Node is known; at once when it is.
  void when_synced(Executor::Task task);
  /// Called when the Node has changed.
  void on_change(std::function<void()> call) { on_change_ = std::move(call); }
  /// Why the pod has to wait; "": it has not.
  std::string why_not(const doc::Value& pod) const;

 private:
  void on_event(const cluster::WatchEvent& event);

  Executor& executor_;
  cluster::Cluster& cluster_;
  const std::string name_;
  cluster::Object node_;  ///< null: there is none, which refuses nothing
  bool synced_ = false;
  std::function<void()> on_change_;
  std::vector<Executor::Task> waiting_;
  std::unique_ptr<cluster::Watch> watch_;
};

/// Why a pod has to wait on a cluster of this node alone, as Kubernetes' scheduler words it (pkg/scheduler/framework:
/// the filters NodeUnschedulable and TaintToleration, in this order); "": it has not.
std::string why_unschedulable(const doc::Value& node, const doc::Value& pod);

/// The patch of a waiting pod's status that tells why; nullopt when that stands there already.
std::optional<doc::Value> unschedulable_patch(const doc::Value& pod, const std::string& why, Time now);

}  // namespace tiphys::node
