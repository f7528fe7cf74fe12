// The flags of a resource template: words that follow kubectl's command in the original.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace tiphys::api {

/// What they name, and how: "configmap x", "configmap/x", "-n ns", "--ignore-not-found".
struct ResourceFlags {
  std::string kind, name, ns;
  bool ignore_not_found = false;
};

/// Flags of kubectl that change nothing here, such as --validate=false, are taken. An error names one that would.
Result<ResourceFlags> read_resource_flags(const std::vector<std::string>& flags);

}  // namespace tiphys::api
