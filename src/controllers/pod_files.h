// The files that a pod gets and those that are collected from it, as annotations of the pod.
#pragma once

#include <string>

#include "engine/run.h"

namespace tiphys::controllers {

/// Some artifact of the template is not told in full where it is.
bool needs_archive_location(const doc::Value& pod_template);

/// Adds what a plugin is told of an artifact besides where it lies, where `location` is a plugin's.
void describe_to_plugin(doc::Value& location, const doc::Value& artifact);

/// The kInputsAnnotation of a template: `files`, the script's source and the input artifacts; "" when there are none.
/// `archive` is where artifacts lie that name a key alone. An error: an artifact that is needed names no place.
Result<std::string> inputs_annotation(const doc::Value& pod_template, const doc::Object& archive,
                                      doc::Array files = {});

/// The kOutputsWantedAnnotation: standard output, parameters by path, artifacts, logs; "" when nothing is wanted. An
/// artifact without a key of its own gets one in the folder of `archive`.
std::string outputs_wanted_annotation(const engine::CreatePod& request, const doc::Object& archive, bool archive_logs);

}  // namespace tiphys::controllers
