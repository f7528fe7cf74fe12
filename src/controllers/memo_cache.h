// The memoization cache: outputs of succeeded nodes in ConfigMaps, as the original keeps them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "engine/run.h"

namespace tiphys::controllers {

/// Looks outputs up and saves them. Each ConfigMap is read and written once for all that is asked of it meanwhile, and
/// in the order of asking: a look-up sees every earlier save. Saves that fail are logged; the node stays as it is.
/// Entry: {nodeID, outputs, creationTimestamp, lastHitTimestamp}. Original: workflow/controller/cache.
class MemoCache {
 public:
  MemoCache(Executor& executor, cluster::Cluster& cluster);
  ~MemoCache();
  MemoCache(const MemoCache&) = delete;
  MemoCache& operator=(const MemoCache&) = delete;

  using Answered = std::move_only_function<void(engine::CacheAnswered)>;
  /// `done` is called later, never when the cache is destroyed before.
  void look_up(std::string ns, engine::LookUpCache request, Answered done);
  void save(std::string ns, engine::SaveCache request);

 private:
  struct Operation;
  struct Book;
  struct Shared;
  void enqueue(std::string ns, const std::string& config_map, Operation operation);
  std::shared_ptr<Shared> shared_;
};

}  // namespace tiphys::controllers
