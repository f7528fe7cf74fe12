// The Secrets and ConfigMaps that the places of artifacts name, read before a worker goes there.
#pragma once

#include <compare>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "cluster/cluster.h"

namespace tiphys::artifact {

/// Values by the object's name and key.
class Credentials {
 public:
  /// What the places of these artifacts name: {"s3": {"accessKeySecret": {"name", "key"}, ...}}; a field that names a
  /// ConfigMap is called "...ConfigMap". `done` comes on the
  /// executor's thread, at once when they name none. An error is the plane's; what does not exist is told by get().
  static void fetch(cluster::Cluster& cluster, const std::string& ns, std::span<const doc::Value> locations,
                    cluster::Done<Credentials> done);

  /// The value that the selector in `field` of the place names; "" when there is no such field.
  Result<std::string> get(const doc::Value& place, std::string_view field) const;

 private:
  struct Fetch;
  /// One value: of a Secret, or of a ConfigMap.
  struct Name {
    bool config_map = false;
    std::string object, key;
    auto operator<=>(const Name&) const = default;
  };
  static void collect(const doc::Value& value, std::set<Name>& names);

  std::map<Name, std::string> values_;
};

}  // namespace tiphys::artifact
