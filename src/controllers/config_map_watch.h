// The ConfigMaps that parameters are read from, kept as the plane has them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/workflow.h"
#include "base/executor.h"
#include "cluster/cluster.h"
#include "engine/config_maps.h"

namespace tiphys::controllers {

/// Destroying it ends the watch.
class ConfigMapWatch {
 public:
  /// `ns` "" is all namespaces. `on_known` is called once, when those that exist are known.
  ConfigMapWatch(Executor& executor, cluster::Cluster& cluster, std::string ns,
                 std::move_only_function<void()> on_known);
  ~ConfigMapWatch();
  ConfigMapWatch(const ConfigMapWatch&) = delete;
  ConfigMapWatch& operator=(const ConfigMapWatch&) = delete;

  /// Does not change: another one takes its place.
  std::shared_ptr<const engine::ConfigMaps> current() const;
  /// As the original sets global parameters: gives the workflow's arguments what they take from ConfigMaps.
  Status give_arguments(api::Workflow& workflow) const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::controllers
