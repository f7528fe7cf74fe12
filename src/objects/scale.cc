#include "objects/scale.h"

#include <fmt/format.h>

#include "cluster/rare_resources.h"
#include "objects/managed_fields.h"

namespace tiphys::objects {
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

std::int64_t number(const doc::Value& object, std::string_view part, std::int64_t otherwise) {
  const doc::Value* found = doc::find(object, part, "replicas");
  return found && found->is_int64() ? found->get_int64() : otherwise;
}

const FieldSet& replicas_set() {
  static const FieldSet set{{"spec", "replicas"}};
  return set;
}
const FieldPath& replicas_path() {
  static const FieldPath path{PathElement::field("spec"), PathElement::field("replicas")};
  return path;
}

}  // namespace

doc::Value scale_of(const doc::Value& object) {
  doc::Object metadata;
  for (const char* member : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (const doc::Value* found = doc::find(object, "metadata", member)) metadata[member] = *found;
  }
  doc::Object status{{"replicas", number(object, "status", 0)}};
  const bool is_map = doc::find_string(object, "kind") == cluster::kReplicationControllers.kind;
  if (std::string text = selector_text(doc::find(object, "spec", "selector"), is_map); !text.empty()) {
    status["selector"] = std::move(text);
  }
  doc::Object spec;
  // Go leaves a zero out.
  if (const std::int64_t replicas = number(object, "spec", 1); replicas != 0) spec["replicas"] = replicas;
  return doc::Object{{"kind", "Scale"},
                     {"apiVersion", kScaleVersion},
                     {"metadata", std::move(metadata)},
                     {"spec", std::move(spec)},
                     {"status", std::move(status)}};
}

doc::Value owned_scale_of(const doc::Value& object) {
  doc::Value scale = scale_of(object);
  auto managed = read_managed_fields(object);
  if (!managed) return scale;
  ManagedFields of_replicas;
  for (auto& [id, entry] : *managed) {
    if (!entry.fields.has(replicas_path())) continue;
    entry.fields = replicas_set();
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

Outcome<void> take_scale(doc::Value& object, const doc::Value& scale) {
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
  doc::ensure_object(object.get_object(), "spec")["replicas"] = replicas;
  if (const auto demanded = doc::find_string(scale, "metadata", "resourceVersion"); !demanded.empty()) {
    doc::ensure_object(object.get_object(), "metadata")["resourceVersion"] = demanded;
  }
  return {};
}

void take_scale_owners(doc::Value& object, const doc::Value& scale) {
  auto managed = read_managed_fields(object);
  auto owners = read_managed_fields(scale);
  if (!managed || !owners) return;
  const std::string version(doc::find_string(object, "apiVersion"));
  const ManagedFields before = *managed;
  for (auto& [id, entry] : *managed) entry.fields = entry.fields.minus(replicas_set());
  for (auto& [id, entry] : *owners) {
    if (!entry.fields.has(replicas_path())) continue;
    entry.api_version = version;
    entry.fields = replicas_set();
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
