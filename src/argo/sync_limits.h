// Limits of semaphores, in ConfigMaps or in the plane's database.
#pragma once

#include <cstdint>
#include <string>

#include "cluster/cluster.h"

namespace tiphys::argo {

struct SyncLimit {
  std::string ns, key;
  std::string config_map{};  ///< "": in the database
  std::int64_t limit = 0;

  bool in_database() const { return config_map.empty(); }
};

/// `done` gets the limit as it is now. kAlreadyExists.
void create_limit(cluster::Cluster& cluster, const SyncLimit& limit, cluster::Done<std::int64_t> done);
/// kNotFound.
void update_limit(cluster::Cluster& cluster, const SyncLimit& limit, cluster::Done<std::int64_t> done);
void get_limit(cluster::Cluster& cluster, const SyncLimit& limit, cluster::Done<std::int64_t> done);
void delete_limit(cluster::Cluster& cluster, const SyncLimit& limit, cluster::Done<void> done);

}  // namespace tiphys::argo
