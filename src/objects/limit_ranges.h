// What LimitRanges fill in and refuse (k8s.io/kubernetes/plugin/pkg/admission/limitranger).
#pragma once

#include <string>
#include <vector>

#include "cluster/resource.h"
#include "doc/value.h"

namespace tiphys::objects {

/// Gives the pod's containers the range's defaults, and tells so in an annotation.
void fill_from_range(const doc::Value& range, doc::Value& pod);
/// What of an object is not within the range; for other kinds than pods and claims nothing.
std::vector<std::string> beyond_range(const doc::Value& range, const cluster::Resource& resource,
                                      const doc::Value& object);

}  // namespace tiphys::objects
