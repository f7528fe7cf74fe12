// What Kubernetes demands of specs of pods, in Pods and in the templates of what makes them
// (k8s.io/kubernetes/pkg/apis/core/validation).
#pragma once

#include "doc/value.h"
#include "schema/field_error.h"
#include "schema/path.h"

namespace tiphys::podspec {

void check_pod_spec(const doc::Value& spec, const schema::Path& at, schema::FieldErrors& errors);

}  // namespace tiphys::podspec
