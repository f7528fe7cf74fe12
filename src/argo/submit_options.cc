#include "argo/submit_options.h"

#include <fmt/format.h>

#include "api/parse.h"
#include "base/strings.h"
#include "base/time.h"
#include "cluster/pod_annotations.h"

namespace tiphys::argo {
namespace {

/// Puts "a=1,b=2" into a map of metadata.
Status merge_map(doc::Object& metadata, const char* map, std::string_view text) {
  if (text.empty()) return {};
  doc::Object& into = doc::ensure_object(metadata, map);
  for (const auto part : split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || trim(part.substr(0, equals)).empty()) {
      return fail(Code::kInvalidArgument, fmt::format("{}: \"{}\" does not have the form NAME=VALUE", map, part));
    }
    into[trim(part.substr(0, equals))] = trim(part.substr(equals + 1));
  }
  return {};
}

Status change_metadata(doc::Object& metadata, const SubmitOptions& options) {
  TIPHYS_CHECK_OK(merge_map(metadata, "labels", options.labels));
  TIPHYS_CHECK_OK(merge_map(metadata, "annotations", options.annotations));
  if (!options.scheduled_time.empty()) {
    if (!parse_rfc3339(options.scheduled_time)) {
      return fail(Code::kInvalidArgument,
                  "scheduled-time contains invalid time.RFC3339 format. (e.g.: `2006-01-02T15:04:05-07:00`)");
    }
    doc::ensure_object(metadata, "annotations")["workflows.argoproj.io/scheduled-time"] = options.scheduled_time;
  }
  if (!options.generate_name.empty()) metadata["generateName"] = options.generate_name;
  if (!options.name.empty()) metadata["name"] = options.name;
  if (options.owner_reference.is_object()) {
    doc::Value& owners = metadata["ownerReferences"];
    if (!owners.is_array()) owners.emplace_array();
    owners.get_array().push_back(options.owner_reference);
  }
  return {};
}

void change_spec(doc::Object& root, const SubmitOptions& options) {
  const std::pair<const char*, const std::string&> texts[] = {{"entrypoint", options.entrypoint},
                                                              {"serviceAccountName", options.service_account},
                                                              {"podPriorityClassName", options.pod_priority_class}};
  for (const auto& [field, value] : texts) {
    if (!value.empty()) doc::ensure_object(root, "spec")[field] = value;
  }
  if (options.priority) doc::ensure_object(root, "spec")["priority"] = *options.priority;
  const std::pair<std::string_view, const std::string&> chosen[] = {
      {cluster::kRuntimeAnnotation, options.runtime}, {cluster::kWarmPythonAnnotation, options.warm_python}};
  for (const auto& [annotation, value] : chosen) {
    if (value.empty()) continue;
    doc::Object& pods = doc::ensure_object(doc::ensure_object(root, "spec"), "podMetadata");
    doc::ensure_object(pods, "annotations")[annotation] = value;
  }
}

}  // namespace

Status set_parameters(doc::Value& workflow, const std::vector<std::string>& parameters) {
  for (const auto& parameter : parameters) {
    const auto equals = parameter.find('=');
    if (equals == std::string::npos) {
      return fail(Code::kInvalidArgument,
                  fmt::format("expected parameter of the form: NAME=VALUE. Received: {}", parameter));
    }
    api::set_argument(workflow, std::string_view(parameter).substr(0, equals),
                      std::string_view(parameter).substr(equals + 1));
  }
  return {};
}

Status apply_options(doc::Value& workflow, const SubmitOptions& options) {
  if (!workflow.is_object()) return {};  // validation says what is wrong with it
  doc::Object& root = workflow.get_object();
  doc::Object& metadata = doc::ensure_object(root, "metadata");
  if (doc::find_string(workflow, "metadata", "namespace").empty()) metadata["namespace"] = options.ns;
  TIPHYS_CHECK_OK(change_metadata(metadata, options));
  TIPHYS_CHECK_OK(set_parameters(workflow, options.parameters));
  change_spec(root, options);
  return {};
}

SubmitOptions read_submit_options(const doc::Value& options) {
  const auto text = [&](std::string_view field) { return std::string(doc::find_string(options, field)); };
  SubmitOptions read{.name = text("name"),
                     .generate_name = text("generateName"),
                     .entrypoint = text("entryPoint"),
                     .service_account = text("serviceAccount"),
                     .pod_priority_class = text("podPriorityClassName"),
                     .labels = text("labels"),
                     .annotations = text("annotations")};
  if (const doc::Value* priority = doc::find(options, "priority"); priority && priority->is_int64()) {
    read.priority = priority->get_int64();
  }
  if (const doc::Value* owner = doc::find(options, "ownerReference")) read.owner_reference = *owner;
  if (const doc::Value* list = doc::find(options, "parameters"); list && list->is_array()) {
    for (const doc::Value& one : list->get_array()) read.parameters.push_back(doc::scalar_text(one));
  }
  return read;
}

}  // namespace tiphys::argo
