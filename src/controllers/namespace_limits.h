// The label workflows.argoproj.io/parallelism-limit of namespaces: how many workflows of each are under way at a time,
// whatever the controller's configuration says. Original: workflow/controller/ns_watcher.go.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::controllers {

/// Destroying it ends the watch.
class NamespaceLimits {
 public:
  /// Nothing: the namespace has no limit of its own. 0: it has none at all.
  using Changed = std::function<void(const std::string& ns, std::optional<std::int64_t> limit)>;

  /// `on_known` is called once, when the namespaces that exist have been told of, or may not be seen.
  NamespaceLimits(Executor& executor, cluster::Cluster& cluster, Changed changed,
                  std::move_only_function<void()> on_known);
  ~NamespaceLimits();
  NamespaceLimits(const NamespaceLimits&) = delete;
  NamespaceLimits& operator=(const NamespaceLimits&) = delete;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::controllers
