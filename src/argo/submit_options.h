// What is changed of a workflow before it is created (SubmitOpts, ApplySubmitOpts).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doc/value.h"

namespace tiphys::argo {

struct SubmitOptions {
  std::string ns{};  ///< for a workflow that names none
  std::string name{}, generate_name{}, entrypoint{}, service_account{}, pod_priority_class{}, scheduled_time{};
  std::string labels{}, annotations{};    ///< "a=1,b=2"
  std::vector<std::string> parameters{};  ///< "name=value"
  std::optional<std::int64_t> priority{};
  doc::Value owner_reference{};  ///< null for none
  std::string runtime{};         ///< stamped on the workflow's pods, so that any plane keeps to it
  std::string warm_python{};     ///< the same: what kWarmPythonAnnotation says
};

/// kInvalidArgument says which option is wrong, and how they look.
Status apply_options(doc::Value& workflow, const SubmitOptions& options);
/// Of a document: {"name", "generateName", "entrypoint", "parameters", "serviceAccount", "labels", "annotations",
/// "ownerReference", "podPriorityClassName", "priority"}.
SubmitOptions read_submit_options(const doc::Value& options);
/// "name=value" each.
Status set_parameters(doc::Value& workflow, const std::vector<std::string>& parameters);

}  // namespace tiphys::argo
