// The ConfigMaps, Secrets and claims of storage that a pod uses, fetched before it starts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::node {

/// Their content, by key; an object that does not exist is missing here.
class PodSources {
 public:
  /// Everything that env, envFrom and volumes of the pod name. `done` comes on the executor's thread, at once when the
  /// pod names none; an error is the plane's, not a missing object.
  static void fetch(cluster::Cluster& cluster, const doc::Value& pod,
                    std::move_only_function<void(Result<PodSources>)> done);

  /// A key's bytes (Secrets decoded), or nullptr.
  const std::string* find(const cluster::Key& key, const std::string& item) const;
  /// All items of an object, or nullptr.
  const std::map<std::string, std::string>* find(const cluster::Key& key) const;
  /// By key, the uids of the PersistentVolumeClaims among them.
  const std::map<cluster::Key, std::string>& claims() const { return claims_; }

 private:
  std::map<cluster::Key, std::map<std::string, std::string>> objects_;
  std::map<cluster::Key, std::string> claims_;
};

/// "ConfigMap \"name\"", for messages.
std::string source_name(const cluster::Key& key);

}  // namespace tiphys::node
