// Templates that run pods: containers, mounts, resources.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/fields.h"
#include "api/resource_flags.h"
#include "api/validator.h"
#include "base/strings.h"
#include "doc/yaml.h"
#include "expr/condition.h"

namespace tiphys::api {
namespace {

bool one_of(std::span<const std::string_view> choices, std::string_view text) {
  return std::ranges::find(choices, text) != choices.end();
}

}  // namespace

bool reserved_container(std::string_view name) {
  return name == "wait" || name == "supervisor" || name.starts_with("artifact-plugin-");
}

void Validator::check_leaf(const Template& tmpl, const Spot& spot, const Variables& scope) {
  Variables own(&scope);
  for (const Artifact& artifact : tmpl.outputs.artifacts) {
    if (!artifact.path.empty()) own.add("outputs.artifacts." + artifact.name + ".path");
  }
  for (const Parameter& parameter : tmpl.outputs.parameters) own.add("outputs.parameters." + parameter.name + ".path");
  check_texts(*tmpl.document, spot, "memoize", own, Unclosed::kStays);
  const bool script = tmpl.type == Template::Type::kScript;
  if (script || tmpl.type == Template::Type::kContainer) {
    const std::string_view field = script ? "script" : "container";
    const doc::Value& container = *doc::find(*tmpl.document, field);
    const Spot at{fmt::format("{}/{}", spot.pointer, field), fmt::format("{}.{}", spot.name, field)};
    if (doc::find_string(container, "image").empty()) error(at.pointer, at.name + ".image may not be empty", true);
    if (script && !doc::find(container, "source")) {
      lint_warn(at.pointer, at.name + " has no source: its command runs without one");
    }
    check_mounts(tmpl, container, at);
    check_env(tmpl, container, at);
    check_container(tmpl, container, at);
  }
  if (tmpl.container_set) check_container_set(tmpl, {spot.pointer + "/containerSet", spot.name + ".containerSet"});
  if (const doc::Value* http = doc::find(*tmpl.document, "http")) {
    check_http(*http, {spot.pointer + "/http", spot.name + ".http"});
  }
  if (const doc::Value* data = doc::find(*tmpl.document, "data")) {
    check_data(*data, {spot.pointer + "/data", spot.name + ".data"});
  }
  check_further_containers(tmpl, spot);
  if (tmpl.resource) check_resource(tmpl, {spot.pointer + "/resource", spot.name + ".resource"});
}

std::vector<std::string> Validator::volume_names(const Template& tmpl) const {
  std::vector<std::string> names;
  const auto add = [&](const doc::Value* list, auto... path) {
    if (!list || !list->is_array()) return;
    for (const doc::Value& volume : list->get_array()) names.emplace_back(doc::find_string(volume, path...));
  };
  add(doc::find(*tmpl.document, "volumes"), "name");
  add(doc::find(*workflow_.spec.document, "volumes"), "name");
  add(doc::find(*workflow_.spec.document, "volumeClaimTemplates"), "metadata", "name");
  return names;
}

/// Init containers and sidecars.
void Validator::check_further_containers(const Template& tmpl, const Spot& spot) {
  std::set<std::string, std::less<>> names = {"main"};
  for (const ContainerSet::Container& container : tmpl.container_set.value_or(ContainerSet{}).containers) {
    names.insert(container.name);
  }
  for (const std::string_view field : {"initContainers", "sidecars"}) {
    const doc::Value* list = doc::find(*tmpl.document, field);
    const std::size_t count = list && list->is_array() ? list->get_array().size() : 0;
    if (count > 0 && !tmpl.runs_containers()) {
      error(fmt::format("{}/{}", spot.pointer, field),
            fmt::format("{}.{} is only valid for container, containerSet and script templates", spot.name, field),
            true);
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const doc::Value& container = list->get_array()[i];
      const Spot at{fmt::format("{}/{}/{}", spot.pointer, field, i), fmt::format("{}.{}[{}]", spot.name, field, i)};
      check_further_container(container, field, at, names);
      check_mounts(tmpl, container, at);
      check_env(tmpl, container, at);
      check_container(tmpl, container, at, field == "initContainers");
    }
  }
}

void Validator::check_further_container(const doc::Value& container, std::string_view list, const Spot& spot,
                                        std::set<std::string, std::less<>>& names) {
  const std::string name(doc::find_string(container, "name"));
  if (name.empty()) {
    error(spot.pointer, fmt::format("{} must all have container name: {}.name is required", list, spot.name), true);
  } else if (name == "init" || reserved_container(name)) {
    error(spot.pointer + "/name", fmt::format("{}: \"{}\" is a reserved Argo container name", spot.name, name));
  } else if (!has_tag(name) && !names.insert(name).second) {
    error(spot.pointer + "/name",
          fmt::format("{}.name '{}' is not unique among the pod's containers", spot.name, name));
  } else {
    check_container_name(name, {spot.pointer + "/name", spot.name + ".name"});
  }
  if (doc::find_string(container, "image").empty()) error(spot.pointer, spot.name + ".image may not be empty", true);
  const std::string_view policy = doc::find_string(container, "restartPolicy");
  const bool keeps_running = list == "initContainers" && policy == "Always";
  for (const std::string_view field : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
    if (list != "initContainers" || keeps_running || !doc::find(container, field)) continue;
    error(fmt::format("{}/{}", spot.pointer, field),
          fmt::format("{}.{}: may not be set for init containers without restartPolicy: Always", spot.name, field),
          true);
  }
}

void Validator::check_mounts(const Template& tmpl, const doc::Value& container, const Spot& spot) {
  const std::vector<std::string> volumes = volume_names(tmpl);
  std::map<std::string, std::string, std::less<>> taken;
  const doc::Value* mounts = doc::find(container, "volumeMounts");
  const std::size_t count = mounts && mounts->is_array() ? mounts->get_array().size() : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const doc::Value& mount = mounts->get_array()[i];
    const std::string at = fmt::format("{}/volumeMounts/{}", spot.pointer, i);
    const std::string_view name = doc::find_string(mount, "name");
    const std::string path(doc::find_string(mount, "mountPath"));
    if (path.empty()) error(at, fmt::format("{}.volumeMounts[{}].mountPath is required", spot.name, i));
    if (!has_tag(name) && std::ranges::find(volumes, name) == volumes.end()) {
      error(at + "/name", fmt::format("{}.volumeMounts[{}].name: there is no volume \"{}\"{}", spot.name, i, name,
                                      did_you_mean(name, volumes)));
    }
    const auto [other, fresh] = taken.emplace(path, fmt::format("volumeMounts.{}", name));
    if (!fresh) {
      error(at + "/mountPath",
            fmt::format("{}.volumeMounts[{}].mountPath '{}' already mounted in {}", spot.name, i, path, other->second));
    }
  }
  if (!spot.pointer.ends_with("/container") && !spot.pointer.ends_with("/script")) return;
  for (std::size_t i = 0; i < tmpl.inputs.artifacts.size(); ++i) {
    const Artifact& artifact = tmpl.inputs.artifacts[i];
    if (artifact.path.empty()) continue;
    const auto [other, fresh] = taken.emplace(artifact.path, "inputs.artifacts." + artifact.name);
    if (fresh) continue;
    const std::string at = spot.pointer.substr(0, spot.pointer.rfind('/'));
    error(fmt::format("{}/inputs/artifacts/{}/path", at, i),
          fmt::format("{}: path '{}' of inputs.artifacts[{}] already mounted in {}", spot.name, artifact.path, i,
                      other->second));
  }
}

void Validator::check_resource(const Template& tmpl, const Spot& spot) {
  const ResourceAction& resource = *tmpl.resource;
  if (!has_tag(resource.action) && !one_of(kResourceActions, resource.action)) {
    error(spot.pointer + "/action", spot.name + ".action must be one of: get, create, apply, delete, replace, patch");
  }
  const bool merges = !resource.merge_strategy.empty() && !has_tag(resource.merge_strategy);
  if (merges && !one_of(kMergeStrategies, resource.merge_strategy)) {
    error(spot.pointer + "/mergeStrategy", spot.name + ".mergeStrategy must be one of: strategic, merge, json");
  }
  if (!std::ranges::any_of(resource.flags, has_tag)) {
    const auto flags = read_resource_flags(resource.flags);
    if (!flags) lint_error(spot.pointer + "/flags", fmt::format("{}: {}", spot.name, flags.error().message));
    if (flags && !flags->idle.empty()) {
      lint_warn(spot.pointer + "/flags",
                fmt::format("{}.flags: {}: no effect here", spot.name, join(flags->idle, ", ")));
    }
    const bool removes = has_tag(resource.action) || resource.action == "delete";
    if (flags && flags->selects() && !removes) {
      lint_error(spot.pointer + "/flags", spot.name + ".flags: only delete takes selectors");
    } else if (flags && flags->objects.size() > 1 && !removes) {
      lint_warn(spot.pointer + "/flags", fmt::format("{}.flags: {} of more than one object fails when all are done",
                                                     spot.name, resource.action));
    }
  }
  check_condition(resource.success_condition, spot.at("/successCondition"), "successCondition");
  check_condition(resource.failure_condition, spot.at("/failureCondition"), "failureCondition");
  if (resource.action == "delete" || resource.action == "get") {
    return lint_named(resource, doc::find(*tmpl.document, "resource", "manifestFrom"), spot);
  }
  if (const doc::Value* from = doc::find(*tmpl.document, "resource", "manifestFrom")) {
    if (!resource.manifest.empty()) {
      error(spot.pointer, spot.name + ": shouldn't have both manifest and manifestFrom", true);
    }
    const std::string name(doc::find_string(*from, "artifact", "name"));
    if (std::ranges::find(tmpl.inputs.artifacts, name, &Artifact::name) == tmpl.inputs.artifacts.end()) {
      error(spot.pointer + "/manifestFrom",
            fmt::format("{}.manifestFrom refers to artifact {}, which is no input of the template", spot.name, name));
    }
    return;
  }
  if (resource.manifest.empty()) {
    error(spot.pointer, spot.name + ".manifest or manifestFrom must be specified", true);
    return;
  }
  const auto documents = doc::parse_yaml(replace_tags(resource.manifest, "x"), "manifest");
  if (!documents) {
    return error(spot.pointer + "/manifest",
                 fmt::format("{}.manifest must be a valid yaml: {}", spot.name, documents.error().message));
  }
  lint_manifest(*documents, tmpl, spot.at("/manifest"));
  if (documents->size() > 1 && !has_tag(resource.action)) {
    lint_warn(spot.pointer + "/manifest",
              fmt::format("{}.manifest: {}", spot.name,
                          resource.set_owner_reference
                              ? "with setOwnerReference only the first object counts"
                              : resource.action + " of more than one object fails when all are done"));
  }
}

void Validator::check_condition(const std::string& text, const Spot& spot, std::string_view field) {
  if (text.empty() || text.find("{{") != text.npos) return;
  const auto verdict = expr::eval_resource_condition(text, doc::Object());
  if (!verdict) error(spot.pointer, fmt::format("{}.{}: {}", spot.name, field, verdict.error().message));
}

/// What is read or deleted has a name somewhere.
void Validator::lint_named(const ResourceAction& resource, const doc::Value* from, const Spot& spot) {
  if (!resource.manifest.empty() || from || !resource.flags.empty()) return;
  lint_error(spot.pointer, spot.name + " needs flags, such as [pod, NAME], or a manifest to say which object is meant");
}

/// An object without a kind is one that only flags may name.
void Validator::lint_manifest(const std::vector<doc::Document>& documents, const Template& tmpl, const Spot& spot) {
  const ResourceAction& resource = *tmpl.resource;
  if (!validation_.lint || !resource.flags.empty() || resource.action == "patch" || documents.empty()) return;
  if (trim(resource.manifest).starts_with("{{")) return;
  const doc::Value& object = documents.front().root;
  if (!object.is_object()) return error(spot.pointer, spot.name + ".manifest must be an object of Kubernetes");
  for (const std::string_view field : {"apiVersion", "kind"}) {
    if (!doc::find_string(object, field).empty()) continue;
    error(spot.pointer, fmt::format("{}.manifest lacks {}", spot.name, field));
  }
}

}  // namespace tiphys::api
