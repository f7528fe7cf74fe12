// How a Job tells its pods from all others: by labels that hold its uid, which a plane adds when it makes the Job
// (k8s.io/kubernetes/pkg/registry/batch/job/strategy.go).
#pragma once

#include "doc/value.h"

namespace tiphys::cluster {

/// Of a Job that has its name and uid. One with manualSelector is left as it is.
void complete_job_selector(doc::Object& job);

}  // namespace tiphys::cluster
