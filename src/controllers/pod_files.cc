#include "controllers/pod_files.h"

#include <fmt/format.h>

#include "api/any_string.h"
#include "api/artifact_location.h"
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

std::string file_name(const doc::Value& artifact, std::string_view archive) {
  const std::string_view name = doc::find_string(artifact, "name");
  if (archive == "zip") return fmt::format("{}.zip", name);
  if (archive != "none") return fmt::format("{}.tgz", name);
  std::string_view path = doc::find_string(artifact, "path");
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

/// Where an output goes: as the node's outputs name it, and in full.
struct Destination {
  doc::Object place;
  doc::Value location;
};

/// Its own place; else `file` in the folder of `archive`, of which only the key is told.
Destination destination_of(const doc::Object& artifact, const std::string& file, const doc::Object& archive) {
  const std::string_view own = api::location_kind(artifact);
  Destination to;
  if (api::is_placed(artifact)) {
    to.place[own] = artifact.at(own);
  } else {
    const std::string_view kind = archive.begin()->key();
    doc::Value& place = to.place[kind];
    place.emplace_object();
    api::set_location_key(kind, place, api::join_key(api::location_key(kind, archive.begin()->value()), file));
  }
  to.location = api::relocated(to.place, archive);
  return to;
}

void add_destination(Destination to, const doc::Value& artifact, doc::Object& wanted) {
  describe_to_plugin(to.location, artifact);
  if (to.location != doc::Value(to.place)) wanted["location"] = std::move(to.location);
  wanted["place"] = std::move(to.place);
}

doc::Object wanted_artifact(const doc::Value& artifact, const doc::Object& archive) {
  const std::string_view packing = archive_of(artifact);
  doc::Object wanted{{"name", doc::find_string(artifact, "name")}, {"path", doc::find_string(artifact, "path")}};
  add_destination(destination_of(artifact.get_object(), file_name(artifact, packing), archive), artifact, wanted);
  if (!packing.empty()) wanted["archive"] = packing;
  if (const doc::Value* level = doc::find(artifact, "archive", "tar", "compressionLevel")) {
    wanted["compressionLevel"] = *level;
  }
  copy_if_present(artifact, "optional", wanted);
  copy_if_present(artifact, "mode", wanted);
  copy_if_present(artifact, "artifactGC", wanted);
  return wanted;
}

/// The logs of main, or of each container of a set.
doc::Array wanted_logs(const doc::Value& pod_template, const doc::Object& archive) {
  std::vector<std::string> names{std::string(kMainContainer)};
  if (const doc::Value* set = doc::find(pod_template, "containerSet", "containers"); set && set->is_array()) {
    names.clear();
    for (const doc::Value& container : set->get_array()) names.emplace_back(doc::find_string(container, "name"));
  }
  doc::Array logs;
  for (const std::string& name : names) {
    doc::Object wanted{{"name", name + "-logs"}, {"container", name}};
    add_destination(destination_of({}, name + ".log", archive), doc::Object{{"name", name + "-logs"}}, wanted);
    logs.push_back(std::move(wanted));
  }
  return logs;
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

void describe_to_plugin(doc::Value& location, const doc::Value& artifact) {
  if (!doc::find(location, "plugin")) return;
  doc::Object told;
  for (const char* field : {"name", "path", "mode", "optional", "subPath", "recurseMode"}) {
    copy_if_present(artifact, field, told);
  }
  location.as_object()["artifact"] = std::move(told);
}

bool needs_archive_location(const doc::Value& pod_template) {
  for (const std::string_view side : {"inputs", "outputs"}) {
    for (const doc::Value& artifact : list(pod_template, side, "artifacts")) {
      const std::string_view kind = api::location_kind(artifact.get_object());
      if (kind.empty() || !api::has_location(kind, artifact.get_object().at(kind))) return true;
    }
  }
  return false;
}

Result<std::string> inputs_annotation(const doc::Value& pod_template, const doc::Object& archive, doc::Array files) {
  if (const std::string_view source = doc::find_string(pod_template, "script", "source"); !source.empty()) {
    files.push_back(doc::Object{{"path", kScriptPath}, {"content", source}, {"mode", kScriptMode}});
  }
  doc::Array artifacts;
  for (const doc::Value& artifact : list(pod_template, "inputs", "artifacts")) {
    if (!api::is_placed(artifact.get_object())) {
      const doc::Value* optional = doc::find(artifact, "optional");
      if (optional && optional->is_bool() && optional->get_bool()) continue;  // nobody gave it
      return fail(Code::kNotFound,
                  fmt::format("required artifact '{}' not supplied", doc::find_string(artifact, "name")));
    }
    doc::Object wanted{{"name", doc::find_string(artifact, "name")}, {"path", doc::find_string(artifact, "path")}};
    copy_if_present(artifact, "mode", wanted);
    copy_if_present(artifact, "recurseMode", wanted);
    if (const std::string_view packing = archive_of(artifact); !packing.empty()) wanted["archive"] = packing;
    copy_if_present(artifact, "optional", wanted);
    copy_if_present(artifact, "subPath", wanted);
    doc::Value location = api::relocated(artifact.get_object(), archive);
    describe_to_plugin(location, artifact);
    wanted["location"] = std::move(location);
    artifacts.push_back(std::move(wanted));
  }
  if (files.empty() && artifacts.empty()) return "";
  doc::Object annotation;
  if (!files.empty()) annotation["files"] = std::move(files);
  if (!artifacts.empty()) annotation["artifacts"] = std::move(artifacts);
  if (doc::Array mirrored = mirroring(pod_template); !mirrored.empty()) annotation["mirrored"] = std::move(mirrored);
  return doc::to_json(std::move(annotation));
}

std::string outputs_wanted_annotation(const engine::CreatePod& request, const doc::Object& archive, bool archive_logs) {
  doc::Array parameters;
  for (const doc::Value& parameter : list(*request.template_document, "outputs", "parameters")) {
    const std::string_view path = doc::find_string(parameter, "valueFrom", "path");
    if (path.empty()) continue;
    doc::Object wanted{{"name", doc::find_string(parameter, "name")}, {"path", path}};
    const doc::Value* fallback = doc::find(parameter, "valueFrom", "default");
    if (fallback && !fallback->is_null()) wanted["default"] = api::any_string(*fallback);
    parameters.push_back(std::move(wanted));
  }
  doc::Array artifacts;
  for (const doc::Value& artifact : list(*request.template_document, "outputs", "artifacts")) {
    if (doc::find_string(artifact, "path").empty()) continue;
    artifacts.push_back(wanted_artifact(artifact, archive));
  }
  doc::Array logs = archive_logs ? wanted_logs(*request.template_document, archive) : doc::Array();
  if (!request.include_result && parameters.empty() && artifacts.empty() && logs.empty()) return "";
  doc::Object annotation{{"result", request.include_result}};
  if (!parameters.empty()) annotation["parameters"] = std::move(parameters);
  if (!artifacts.empty()) annotation["artifacts"] = std::move(artifacts);
  if (!logs.empty()) annotation["logs"] = std::move(logs);
  return doc::to_json(std::move(annotation));
}

}  // namespace tiphys::controllers
