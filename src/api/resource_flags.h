// The flags of a resource template: words that follow kubectl's command in the original.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace tiphys::api {

/// What they name, and how: "configmap x", "configmap/x service/y", "configmap -l app=x", "-n ns",
/// "--ignore-not-found".
struct ResourceFlags {
  struct Named {
    std::string kind;
    std::string name;  ///< "" where the kind alone is named
  };
  std::vector<Named> objects;
  std::string ns;
  std::string labels, fields;  ///< selectors: all objects of the kinds that they fit
  bool all = false;            ///< all objects of the kinds
  bool ignore_not_found = false;
  int grace_seconds = -1;         ///< for pods that are deleted; negative: their own
  bool force = false;             ///< of replace: what is there is deleted first
  bool wait = true;               ///< until what is deleted is gone
  std::string patch_type;         ///< in place of mergeStrategy; "" as that says
  std::vector<std::string> idle;  ///< those that change nothing here, as written

  bool selects() const { return all || !labels.empty() || !fields.empty(); }
};

/// An error names a flag that cannot be honoured and why, or says in kubectl's words what does not go together.
Result<ResourceFlags> read_resource_flags(const std::vector<std::string>& flags);

}  // namespace tiphys::api
