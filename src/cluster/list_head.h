// What a list of Kubernetes' or Argo's API says of itself, whoever answered it.
#pragma once

#include <charconv>

#include "cluster/cluster.h"

namespace tiphys::cluster {

/// Fills in the version and the continue token of `list`. What `answer` has as items, null when it has none.
inline doc::Value* read_list_head(doc::Value& answer, List& list) {
  const std::string_view version = doc::find_string(answer, "metadata", "resourceVersion");
  std::from_chars(version.data(), version.data() + version.size(), list.resource_version);
  list.continue_token = doc::find_string(answer, "metadata", "continue");
  doc::Object* members = answer.if_object();
  return members ? members->if_contains("items") : nullptr;
}

}  // namespace tiphys::cluster
