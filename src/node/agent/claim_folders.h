// The folders of this host that PersistentVolumeClaims are bound to.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/executor.h"
#include "base/workers.h"
#include "cluster/cluster.h"

namespace tiphys::node {

/// Watches claims: binds new ones, and removes the folder of one that is deleted once no pod uses it. Folders are named
/// by uid.
class ClaimFolders : public std::enable_shared_from_this<ClaimFolders> {
 public:
  /// As long as it is kept, the folder stays.
  using Use = std::shared_ptr<void>;

  ClaimFolders(Executor& executor, cluster::Cluster& cluster, Workers& workers, std::string folder);

  /// Begins to watch.
  void start();

  std::string path(std::string_view uid) const;
  Use use(const std::string& uid);

 private:
  void on_event(const cluster::WatchEvent& event);
  void bind(const doc::Value& claim);
  void remove_unknown();
  void remove(const std::string& uid);

  Executor& executor_;
  cluster::Cluster& cluster_;
  Workers& workers_;
  std::string folder_;
  std::set<std::string> known_;
  std::map<std::string, std::weak_ptr<void>> used_;
  bool in_step_ = false;
  std::unique_ptr<cluster::Watch> watch_;
};

}  // namespace tiphys::node
