// Names made from metadata.generateName.
#pragma once

#include <string_view>

namespace tiphys::cluster {

/// What of generateName goes into a name: Kubernetes leaves room for five letters within the 63 of a label
/// (apiserver/pkg/storage/names).
constexpr std::string_view name_prefix(std::string_view generate_name) {
  return generate_name.substr(0, 58);
}

}  // namespace tiphys::cluster
