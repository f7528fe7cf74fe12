// The ConfigMaps that parameters are read from.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "doc/value.h"

namespace tiphys::engine {

inline constexpr std::string_view kConfigMapTypeLabel = "workflows.argoproj.io/configmap-type";

/// The plane's ConfigMaps that have a type, as they are at a moment.
class ConfigMaps {
 public:
  /// Tells whether this differs from what was known.
  bool put(const doc::Shared& config_map);
  bool remove(const doc::Value& config_map);

  /// Its value under the key. kNotFound when there is no such ConfigMap or key; another error when the ConfigMap is not
  /// of the type Parameter. As workflow/common/configmap.go has it.
  Result<std::string> value(std::string_view ns, std::string_view name, std::string_view key) const;

 private:
  /// By namespace and name; null for one of another type, which may be large and change often.
  std::map<std::pair<std::string, std::string>, doc::Shared, std::less<>> maps_;
};

}  // namespace tiphys::engine
