// Where a pod stands, by its status.phase.
#pragma once

#include "doc/value.h"

namespace tiphys::cluster {

/// It has come to its end and will not run again.
inline bool pod_ended(const doc::Value& pod) {
  const std::string_view phase = doc::find_string(pod, "status", "phase");
  return phase == "Succeeded" || phase == "Failed";
}

}  // namespace tiphys::cluster
