#include <fmt/format.h>

#include <algorithm>

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

/// $(NAME) becomes the value of an earlier variable, $$ a dollar; an unknown name stays.
std::string expand(std::string_view text, const Env& env) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    const auto close = text[i + 1] == '(' ? text.find(')', i) : std::string_view::npos;
    const std::string_view name = close == std::string_view::npos ? "" : text.substr(i + 2, close - i - 2);
    const auto it = std::find_if(env.begin(), env.end(), [&](const auto& entry) { return entry.first == name; });
    if (name.empty() || it == env.end()) {
      out += '$';
      continue;
    }
    out += it->second;
    i = close;
  }
  return out;
}

Result<std::string> field_value(const doc::Value& pod, std::string_view path, const PodPlace& place) {
  if (path == "status.podIP" || path == "status.hostIP") return std::string("127.0.0.1");
  if (path == "spec.nodeName") return place.node_name;
  const doc::Value* value = &pod;
  std::string_view rest = path;
  if (const auto bracket = rest.find("['"); bracket != std::string_view::npos && rest.ends_with("']")) {
    const doc::Value* parent = &pod;
    for (std::string_view head = rest.substr(0, bracket); parent && !head.empty();) {
      const auto dot = head.find('.');
      parent = doc::find(*parent, head.substr(0, dot));
      head = dot == std::string_view::npos ? "" : head.substr(dot + 1);
    }
    const doc::Value* member =
        parent ? doc::find(*parent, rest.substr(bracket + 2, rest.size() - bracket - 4)) : nullptr;
    return member ? doc::scalar_text(*member) : std::string();
  }
  while (value && !rest.empty()) {
    const auto dot = rest.find('.');
    value = doc::find(*value, rest.substr(0, dot));
    rest = dot == std::string_view::npos ? "" : rest.substr(dot + 1);
  }
  if (value) return doc::scalar_text(*value);
  return fail(Code::kInvalidArgument, fmt::format("unsupported fieldPath: {}", path));
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
                                            const PodPlace& place, const Env& env) {
  const doc::Value* from = doc::find(entry, "valueFrom");
  if (!from || from->is_null()) {
    const doc::Value* value = doc::find(entry, "value");
    return expand(value && !value->is_null() ? doc::scalar_text(*value) : "", env);
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
  return fail(Code::kUnimplemented,
              fmt::format("environment variable \"{}\": this valueFrom is not supported; use value, configMapKeyRef, "
                          "secretKeyRef or fieldRef",
                          doc::find_string(entry, "name")));
}

}  // namespace

Result<Env> container_env(const doc::Value& pod, const doc::Value& container, const PodSources& sources,
                          const PodPlace& place) {
  Env env;
  const std::string_view ns = doc::find_string(pod, "metadata", "namespace");
  if (const doc::Value* from = doc::find(container, "envFrom"); from && from->is_array()) {
    for (const doc::Value& entry : from->get_array()) TIPHYS_CHECK_OK(add_from(entry, ns, sources, env));
  }
  if (const doc::Value* own = doc::find(container, "env"); own && own->is_array()) {
    for (const doc::Value& entry : own->get_array()) {
      TIPHYS_TRY(std::optional<std::string> value, value_of(entry, pod, sources, place, env));
      if (value) set(env, doc::find_string(entry, "name"), std::move(*value));
    }
  }
  return env;
}

}  // namespace tiphys::node
