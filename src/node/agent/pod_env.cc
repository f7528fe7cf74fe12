#include <fmt/format.h>

#include <algorithm>

#include "node/agent/env_file.h"
#include "node/agent/pod_spec.h"

namespace tiphys::node {
namespace {

using Env = std::vector<std::pair<std::string, std::string>>;

void set(Env& env, std::string_view name, std::string value) {
  const auto it = std::find_if(env.begin(), env.end(), [&](const auto& entry) { return entry.first == name; });
  if (it == env.end()) {
    env.emplace_back(name, std::move(value));
  } else {
    it->second = std::move(value);
  }
}

bool optional(const doc::Value& reference) {
  const doc::Value* value = doc::find(reference, "optional");
  return value && value->is_bool() && value->get_bool();
}

Status add_from(const doc::Value& entry, std::string_view ns, const PodSources& sources, Env& env) {
  const std::string_view prefix = doc::find_string(entry, "prefix");
  for (const auto& [field, resource] :
       {std::pair{"configMapRef", &cluster::kConfigMaps}, {"secretRef", &cluster::kSecrets}}) {
    const doc::Value* reference = doc::find(entry, field);
    if (!reference) continue;
    const cluster::Key key{resource, std::string(ns), std::string(doc::find_string(*reference, "name"))};
    const auto* items = sources.find(key);
    if (!items && !optional(*reference)) return fail(Code::kNotFound, fmt::format("{} not found", source_name(key)));
    if (!items) continue;
    for (const auto& [name, value] : *items) set(env, fmt::format("{}{}", prefix, name), value);
  }
  return {};
}

/// The variable's value; nullopt when it is optional and missing.
Result<std::optional<std::string>> value_of(const doc::Value& entry, const doc::Value& pod, const PodSources& sources,
                                            const PodPlace& place, std::string_view container_name, const Env& env) {
  const doc::Value* from = doc::find(entry, "valueFrom");
  if (!from || from->is_null()) {
    const doc::Value* value = doc::find(entry, "value");
    return expand_variables(value && !value->is_null() ? doc::scalar_text(*value) : "", env);
  }
  const std::string_view ns = doc::find_string(pod, "metadata", "namespace");
  for (const auto& [field, resource] :
       {std::pair{"configMapKeyRef", &cluster::kConfigMaps}, {"secretKeyRef", &cluster::kSecrets}}) {
    const doc::Value* reference = doc::find(*from, field);
    if (!reference) continue;
    const cluster::Key key{resource, std::string(ns), std::string(doc::find_string(*reference, "name"))};
    const std::string item(doc::find_string(*reference, "key"));
    if (const std::string* value = sources.find(key, item)) return *value;
    if (optional(*reference)) return std::nullopt;
    if (!sources.find(key)) return fail(Code::kNotFound, fmt::format("{} not found", source_name(key)));
    return fail(Code::kNotFound, fmt::format("couldn't find key {} in {}", item, source_name(key)));
  }
  if (const doc::Value* field = doc::find(*from, "fieldRef")) {
    TIPHYS_TRY(std::string value, field_value(pod, doc::find_string(*field, "fieldPath"), place));
    return value;
  }
  if (const doc::Value* field = doc::find(*from, "resourceFieldRef")) {
    TIPHYS_TRY(std::string value, resource_value(pod, *field, container_name, place));
    return value;
  }
  return fail(Code::kUnimplemented,
              fmt::format("environment variable \"{}\": this valueFrom is not supported; use value, configMapKeyRef, "
                          "secretKeyRef, fieldRef, resourceFieldRef or fileKeyRef",
                          doc::find_string(entry, "name")));
}

}  // namespace

Result<Env> container_env(const doc::Value& pod, const doc::Value& container, const PodSources& sources,
                          const PodPlace& place, const FileValues* files) {
  Env env = place.variables;
  const std::string_view ns = doc::find_string(pod, "metadata", "namespace");
  if (const doc::Value* from = doc::find(container, "envFrom"); from && from->is_array()) {
    for (const doc::Value& entry : from->get_array()) TIPHYS_CHECK_OK(add_from(entry, ns, sources, env));
  }
  if (const doc::Value* own = doc::find(container, "env"); own && own->is_array()) {
    std::size_t from_files = 0;
    for (const doc::Value& entry : own->get_array()) {
      std::optional<std::string> value;
      if (is_from_file(entry)) {
        if (files && from_files < files->size()) value = (*files)[from_files++];
      } else {
        TIPHYS_TRY(value, value_of(entry, pod, sources, place, doc::find_string(container, "name"), env));
      }
      if (value) set(env, doc::find_string(entry, "name"), std::move(*value));
    }
  }
  return env;
}

}  // namespace tiphys::node
