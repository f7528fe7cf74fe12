// spec.podFailurePolicy of a Job: what a pod's failure means for it (k8s.io/kubernetes/pkg/controller/job,
// pod_failure_policy.go).
#pragma once

#include <string>

#include "doc/value.h"

namespace tiphys::controllers::workloads {

struct FailureVerdict {
  bool counts = true;       ///< towards the back-off limit
  std::string fails_job{};  ///< not empty: the Job fails, with this message
};

/// Of a pod that has failed; `policy` is null where a Job has none.
FailureVerdict judge_failure(const doc::Value& policy, const doc::Value& pod);

}  // namespace tiphys::controllers::workloads
