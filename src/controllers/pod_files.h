// The files that a pod gets and those that are collected from it, as annotations of the pod.
#pragma once

#include <string>

#include "engine/run.h"

namespace tiphys::controllers {

/// The kInputsAnnotation of a template: the script's source and the input artifacts; "" when there are none.
std::string inputs_annotation(const doc::Value& pod_template);

/// The kOutputsWantedAnnotation: standard output, parameters by path, artifacts with their keys; "" when nothing is
/// wanted. An artifact without a key of its own gets "<workflow>/<pod>/<file>" as the original's default key format
/// gives.
std::string outputs_wanted_annotation(const engine::CreatePod& request, std::string_view workflow_name);

}  // namespace tiphys::controllers
