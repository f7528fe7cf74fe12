#include "objects/scale.h"

#include <fmt/format.h>

#include "cluster/rare_resources.h"
#include "objects/managed_fields.h"

namespace tiphys::objects {

const doc::Value* value_at(const doc::Value& object, const std::vector<std::string>& path) {
  const doc::Value* value = &object;
  for (const std::string& name : path) value = value ? doc::find(*value, name) : nullptr;
  return path.empty() ? nullptr : value;
}

namespace {

std::string listed(const doc::Value* values) {
  std::string text;
  if (!values || !values->is_array()) return text;
  for (const doc::Value& value : values->get_array()) {
    if (!text.empty()) text += ',';
    text += doc::scalar_text(value);
  }
  return text;
}

std::string requirement(const doc::Value& one) {
  const auto key = doc::find_string(one, "key");
  const auto operation = doc::find_string(one, "operator");
  if (operation == "Exists") return std::string(key);
  if (operation == "DoesNotExist") return fmt::format("!{}", key);
  return fmt::format("{} {} ({})", key, operation == "In" ? "in" : "notin", listed(doc::find(one, "values")));
}

/// A label selector as a query writes it; a ReplicationController's is a map of labels.
std::string selector_text(const doc::Value* selector, bool is_map) {
  std::string text;
  const auto add = [&](const std::string& part) {
    if (!text.empty()) text += ',';
    text += part;
  };
  const doc::Value* labels = selector && !is_map ? doc::find(*selector, "matchLabels") : selector;
  if (labels && labels->is_object()) {
    for (const auto& [key, value] : labels->get_object()) {
      add(fmt::format("{}={}", std::string_view(key), doc::scalar_text(value)));
    }
  }
  const doc::Value* expressions = selector && !is_map ? doc::find(*selector, "matchExpressions") : nullptr;
  if (expressions && expressions->is_array()) {
    for (const doc::Value& one : expressions->get_array()) add(requirement(one));
  }
  return text;
}

std::int64_t number_at(const doc::Value& object, const std::vector<std::string>& path, std::int64_t otherwise) {
  const doc::Value* found = value_at(object, path);
  return found && found->is_int64() ? found->get_int64() : otherwise;
}

FieldPath field_path(const std::vector<std::string>& path) {
  FieldPath fields;
  for (const std::string& name : path) fields.push_back(PathElement::field(name));
  return fields;
}

FieldSet field_set(const std::vector<std::string>& path) {
  FieldSet set;
  set.insert(field_path(path));
  return set;
}

/// Of the Scale itself.
const ScalePaths& own_paths() {
  static const ScalePaths paths;
  return paths;
}

std::string selector_of(const doc::Value& object, const ScalePaths& paths) {
  if (paths.of_definition) {
    const doc::Value* text = value_at(object, paths.selector);
    return text && text->is_string() ? std::string(text->get_string()) : std::string();
  }
  const bool is_map = doc::find_string(object, "kind") == cluster::kReplicationControllers.kind;
  return selector_text(doc::find(object, "spec", "selector"), is_map);
}

}  // namespace

std::string ScalePaths::replicas_text() const {
  std::string text;
  for (const std::string& name : replicas) text += "." + name;
  return text;
}

doc::Value scale_of(const doc::Value& object, const ScalePaths& paths) {
  doc::Object metadata;
  for (const char* member : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (const doc::Value* found = doc::find(object, "metadata", member)) metadata[member] = *found;
  }
  doc::Object status{{"replicas", number_at(object, paths.observed, 0)}};
  if (std::string text = selector_of(object, paths); !text.empty()) status["selector"] = std::move(text);
  doc::Object spec;
  // Go leaves a zero out.
  if (const std::int64_t replicas = number_at(object, paths.replicas, 1); replicas != 0) spec["replicas"] = replicas;
  return doc::Object{{"kind", "Scale"},
                     {"apiVersion", kScaleVersion},
                     {"metadata", std::move(metadata)},
                     {"spec", std::move(spec)},
                     {"status", std::move(status)}};
}

doc::Value owned_scale_of(const doc::Value& object, const ScalePaths& paths) {
  doc::Value scale = scale_of(object, paths);
  auto managed = read_managed_fields(object);
  if (!managed) return scale;
  ManagedFields of_replicas;
  const FieldPath replicas = field_path(paths.replicas);
  for (auto& [id, entry] : *managed) {
    if (!entry.fields.has(replicas)) continue;
    entry.fields = field_set(own_paths().replicas);
    entry.api_version = kScaleVersion;
    std::string name = entry.id();
    of_replicas.insert_or_assign(std::move(name), std::move(entry));
  }
  write_managed_fields(scale, of_replicas);
  return scale;
}

Outcome<void> check_scale_type(const doc::Value& scale) {
  const auto kind = doc::find_string(scale, "kind");
  const auto version = doc::find_string(scale, "apiVersion");
  if (!scale.is_object()) return std::unexpected(bad_request("the body must be an object"));
  const bool named = kind.empty() || kind == "Scale";
  if (named && (version.empty() || version == kScaleVersion)) return {};
  return std::unexpected(bad_request(fmt::format("invalid object type: {}, Kind={}", version, kind)));
}

Outcome<void> take_scale(doc::Value& object, const doc::Value& scale, const ScalePaths& paths) {
  TIPHYS_CHECK_OK(check_scale_type(scale));
  const doc::Value* given = doc::find(scale, "spec", "replicas");
  if (given && !given->is_int64() && !given->is_null()) {
    return std::unexpected(bad_request("spec.replicas must be a whole number"));
  }
  const std::int64_t replicas = given && given->is_int64() ? given->get_int64() : 0;
  if (replicas < 0) {
    cluster::Resource resource = cluster::kDeployments;
    resource.group = "autoscaling";
    resource.kind = "Scale";
    return std::unexpected(
        refuse_invalid(resource, doc::find_string(object, "metadata", "name"),
                       {schema::invalid("spec.replicas", *given, "must be greater than or equal to 0")}));
  }
  doc::Object* within = &object.get_object();
  for (std::size_t i = 0; i + 1 < paths.replicas.size(); ++i) within = &doc::ensure_object(*within, paths.replicas[i]);
  (*within)[paths.replicas.back()] = replicas;
  if (const auto demanded = doc::find_string(scale, "metadata", "resourceVersion"); !demanded.empty()) {
    doc::ensure_object(object.get_object(), "metadata")["resourceVersion"] = demanded;
  }
  return {};
}

void take_scale_owners(doc::Value& object, const doc::Value& scale, const ScalePaths& paths) {
  auto managed = read_managed_fields(object);
  auto owners = read_managed_fields(scale);
  if (!managed || !owners) return;
  const std::string version(doc::find_string(object, "apiVersion"));
  const ManagedFields before = *managed;
  const FieldSet replicas = field_set(paths.replicas);
  const FieldPath of_scale = field_path(own_paths().replicas);
  for (auto& [id, entry] : *managed) entry.fields = entry.fields.minus(replicas);
  for (auto& [id, entry] : *owners) {
    if (!entry.fields.has(of_scale)) continue;
    entry.api_version = version;
    entry.fields = replicas;
    // Who is new has no time, as in Kubernetes.
    const auto known = before.find(entry.id());
    entry.time = known == before.end() ? std::nullopt : known->second.time;
    ManagedEntry& own = managed->try_emplace(entry.id(), entry).first->second;
    own.fields = own.fields.plus(entry.fields);
  }
  std::erase_if(*managed, [](const auto& entry) { return entry.second.fields.empty(); });
  write_managed_fields(object, *managed);
}

}  // namespace tiphys::objects
