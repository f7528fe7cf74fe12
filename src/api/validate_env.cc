// The environment of containers: what a kubelet could make nothing of.
#include <fmt/format.h>

#include <algorithm>

#include "api/fields.h"
#include "api/validator.h"
#include "base/strings.h"

namespace tiphys::api {
namespace {

const doc::Value* find_volume(const doc::Value* list, std::string_view name) {
  if (!list || !list->is_array()) return nullptr;
  const auto found = std::ranges::find_if(list->get_array(),
                                          [&](const doc::Value& one) { return doc::find_string(one, "name") == name; });
  return found == list->get_array().end() ? nullptr : &*found;
}

bool leads_up(std::string_view path) {
  const auto parts = split(path, '/');
  return std::ranges::find(parts, "..") != parts.end();
}

}  // namespace

void Validator::check_env(const Template& tmpl, const doc::Value& container, const Spot& spot) {
  const doc::Value* env = doc::find(container, "env");
  const std::size_t count = env && env->is_array() ? env->get_array().size() : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const doc::Value& variable = env->get_array()[i];
    const Spot at{fmt::format("{}/env/{}", spot.pointer, i), fmt::format("{}.env[{}]", spot.name, i)};
    if (doc::find_string(variable, "name").empty()) error(at.pointer, at.name + ".name is required", true);
    const doc::Value* from = doc::find(variable, "valueFrom");
    if (!from || !from->is_object()) continue;
    if (!doc::find_string(variable, "value").empty()) {
      error(at.pointer + "/valueFrom", at.name + ": a variable has a value or valueFrom, not both", true);
    }
    for (const std::string_view source : {"configMapKeyRef", "secretKeyRef"}) {
      const doc::Value* reference = doc::find(*from, source);
      if (!reference || reference->is_null() || !doc::find_string(*reference, "key").empty()) continue;
      error(fmt::format("{}/valueFrom/{}", at.pointer, source),
            fmt::format("{}.valueFrom.{}.key is required", at.name, source), true);
    }
    if (const doc::Value* reference = doc::find(*from, "fileKeyRef"); reference && !reference->is_null()) {
      check_file_key(tmpl, *reference, {at.pointer + "/valueFrom/fileKeyRef", at.name + ".valueFrom.fileKeyRef"});
    }
  }
}

void Validator::check_file_key(const Template& tmpl, const doc::Value& reference, const Spot& spot) {
  for (const std::string_view field : {"volumeName", "path", "key"}) {
    if (doc::find_string(reference, field).empty()) {
      error(spot.pointer, fmt::format("{}.{} is required", spot.name, field), true);
    }
  }
  const auto path = doc::find_string(reference, "path");
  if (path.starts_with('/') || leads_up(path)) {
    error(spot.pointer + "/path", fmt::format("{}.path must be relative to the volume and without '..'", spot.name));
  }
  const auto name = doc::find_string(reference, "volumeName");
  if (name.empty() || has_tag(name)) return;
  const std::vector<std::string> names = volume_names(tmpl);
  const std::string at = spot.pointer + "/volumeName";
  if (std::ranges::find(names, name) == names.end()) {
    return error(at,
                 fmt::format("{}.volumeName: there is no volume \"{}\"{}", spot.name, name, did_you_mean(name, names)));
  }
  const doc::Value* volume = find_volume(doc::find(*tmpl.document, "volumes"), name);
  if (!volume) volume = find_volume(doc::find(*workflow_.spec.document, "volumes"), name);
  if (volume && doc::find(*volume, "emptyDir")) return;
  error(at, fmt::format("{}.volumeName: volume \"{}\" must be an emptyDir", spot.name, name));
}

}  // namespace tiphys::api
