// Specs of pods, in Pods and in the templates of what makes them (k8s.io/kubernetes/pkg/apis/core/v1/defaults.go).
#pragma once

#include "doc/value.h"
#include "podspec/pod_spec.h"

namespace tiphys::objects {

using podspec::check_pod_spec;

void fill_pod_spec(doc::Object& spec);

}  // namespace tiphys::objects
