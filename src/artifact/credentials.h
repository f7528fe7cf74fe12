// The Secrets that the places of artifacts name, read before a worker goes there.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "cluster/cluster.h"

namespace tiphys::artifact {

/// Values by the Secret's name and key.
class Credentials {
 public:
  /// What the places of these artifacts name: {"s3": {"accessKeySecret": {"name", "key"}, ...}}. `done` comes on the
  /// executor's thread, at once when they name none. An error is the plane's; what does not exist is told by get().
  static void fetch(cluster::Cluster& cluster, const std::string& ns, std::span<const doc::Value> locations,
                    cluster::Done<Credentials> done);

  void add(std::string name, std::string key, std::string value) {
    values_[{std::move(name), std::move(key)}] = std::move(value);
  }
  /// The value that the selector in `field` of the place names; "" when there is no such field.
  Result<std::string> get(const doc::Value& place, std::string_view field) const;

 private:
  std::map<std::pair<std::string, std::string>, std::string> values_;
};

}  // namespace tiphys::artifact
