#include "controllers/pod_files.h"

#include <fmt/format.h>

#include "controllers/names.h"

namespace tiphys::controllers {
namespace {

constexpr int kScriptMode = 0755;

const doc::Array& list(const doc::Value& pod_template, std::string_view side, std::string_view name) {
  static const doc::Array kNone;
  const doc::Value* member = doc::find(pod_template, side, name);
  return member && member->is_array() ? member->get_array() : kNone;
}

void copy_if_present(const doc::Value& from, std::string_view field, doc::Object& to) {
  if (const doc::Value* value = doc::find(from, field); value && !value->is_null()) to[field] = *value;
}

/// "tar", "none", "zip"; "" when the manifest does not say.
std::string_view archive_of(const doc::Value& artifact) {
  for (const std::string_view kind : {"none", "tar", "zip"}) {
    if (const doc::Value* chosen = doc::find(artifact, "archive", kind); chosen && chosen->is_object()) return kind;
  }
  return "";
}

/// Where the artifact's bytes are: the one field of it that is a place; null when it names none.
const doc::Value* place_of(const doc::Value& artifact, std::string_view& kind) {
  for (const std::string_view name : {"s3", "raw"}) {
    if (const doc::Value* place = doc::find(artifact, name); place && place->is_object()) {
      kind = name;
      return place;
    }
  }
  return nullptr;
}

std::string file_name(const doc::Value& artifact, std::string_view archive) {
  const std::string_view name = doc::find_string(artifact, "name");
  if (archive == "zip") return fmt::format("{}.zip", name);
  if (archive != "none") return fmt::format("{}.tgz", name);
  std::string_view path = doc::find_string(artifact, "path");
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string join_key(std::string_view folder, std::string_view file) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  return folder.empty() ? std::string(file) : fmt::format("{}/{}", folder, file);
}

std::string key_of(const doc::Value& artifact, const engine::CreatePod& request, std::string_view workflow_name,
                   std::string_view archive) {
  if (const std::string_view own = doc::find_string(artifact, "s3", "key"); !own.empty()) return std::string(own);
  const std::string_view location = doc::find_string(*request.template_document, "archiveLocation", "s3", "key");
  const std::string folder =
      location.empty() ? fmt::format("{}/{}", workflow_name, request.pod_name) : std::string(location);
  return join_key(folder, file_name(artifact, archive));
}

doc::Object wanted_artifact(const doc::Value& artifact, const engine::CreatePod& request,
                            std::string_view workflow_name) {
  const std::string_view archive = archive_of(artifact);
  doc::Object wanted{{"name", doc::find_string(artifact, "name")},
                     {"path", doc::find_string(artifact, "path")},
                     {"key", key_of(artifact, request, workflow_name, archive)}};
  if (!archive.empty()) wanted["archive"] = archive;
  if (const doc::Value* level = doc::find(artifact, "archive", "tar", "compressionLevel")) {
    wanted["compressionLevel"] = *level;
  }
  copy_if_present(artifact, "optional", wanted);
  copy_if_present(artifact, "mode", wanted);
  return wanted;
}

/// The init containers and sidecars that see main's mounts, of which the original makes the inputs some.
doc::Array mirroring(const doc::Value& pod_template) {
  doc::Array names;
  for (const std::string_view field : {"initContainers", "sidecars"}) {
    const doc::Value* containers = doc::find(pod_template, field);
    if (!containers || !containers->is_array()) continue;
    for (const doc::Value& container : containers->get_array()) {
      const doc::Value* mirrors = doc::find(container, "mirrorVolumeMounts");
      if (mirrors && mirrors->is_bool() && mirrors->get_bool()) {
        names.emplace_back(doc::find_string(container, "name"));
      }
    }
  }
  return names;
}

}  // namespace

std::string inputs_annotation(const doc::Value& pod_template) {
  doc::Array files;
  if (const std::string_view source = doc::find_string(pod_template, "script", "source"); !source.empty()) {
    files.push_back(doc::Object{{"path", kScriptPath}, {"content", source}, {"mode", kScriptMode}});
  }
  doc::Array artifacts;
  for (const doc::Value& artifact : list(pod_template, "inputs", "artifacts")) {
    std::string_view kind;
    const doc::Value* place = place_of(artifact, kind);
    // An optional input that nobody gave is simply not there.
    if (!place) continue;
    doc::Object wanted{{"name", doc::find_string(artifact, "name")}, {"path", doc::find_string(artifact, "path")}};
    copy_if_present(artifact, "mode", wanted);
    if (const std::string_view archive = archive_of(artifact); !archive.empty()) wanted["archive"] = archive;
    copy_if_present(artifact, "optional", wanted);
    wanted["location"] = doc::Object{{kind, *place}};
    artifacts.push_back(std::move(wanted));
  }
  if (files.empty() && artifacts.empty()) return "";
  doc::Object annotation;
  if (!files.empty()) annotation["files"] = std::move(files);
  if (!artifacts.empty()) annotation["artifacts"] = std::move(artifacts);
  if (doc::Array mirrored = mirroring(pod_template); !mirrored.empty()) annotation["mirrored"] = std::move(mirrored);
  return doc::to_json(std::move(annotation));
}

std::string outputs_wanted_annotation(const engine::CreatePod& request, std::string_view workflow_name) {
  doc::Array parameters;
  for (const doc::Value& parameter : list(*request.template_document, "outputs", "parameters")) {
    const std::string_view path = doc::find_string(parameter, "valueFrom", "path");
    if (path.empty()) continue;
    doc::Object wanted{{"name", doc::find_string(parameter, "name")}, {"path", path}};
    const doc::Value* fallback = doc::find(parameter, "valueFrom", "default");
    if (fallback && !fallback->is_null()) wanted["default"] = doc::scalar_text(*fallback);
    parameters.push_back(std::move(wanted));
  }
  doc::Array artifacts;
  for (const doc::Value& artifact : list(*request.template_document, "outputs", "artifacts")) {
    if (doc::find_string(artifact, "path").empty()) continue;
    artifacts.push_back(wanted_artifact(artifact, request, workflow_name));
  }
  if (!request.include_result && parameters.empty() && artifacts.empty()) return "";
  doc::Object annotation{{"result", request.include_result}};
  if (!parameters.empty()) annotation["parameters"] = std::move(parameters);
  if (!artifacts.empty()) annotation["artifacts"] = std::move(artifacts);
  return doc::to_json(std::move(annotation));
}

}  // namespace tiphys::controllers
