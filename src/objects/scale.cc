#include "objects/scale.h"

#include <fmt/format.h>

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

/// A label selector as a query writes it.
std::string selector_text(const doc::Value* selector) {
  std::string text;
  const auto add = [&](const std::string& part) {
    if (!text.empty()) text += ',';
    text += part;
  };
  const doc::Value* labels = selector ? doc::find(*selector, "matchLabels") : nullptr;
  if (labels && labels->is_object()) {
    for (const auto& [key, value] : labels->get_object()) {
      add(fmt::format("{}={}", std::string_view(key), doc::scalar_text(value)));
    }
  }
  const doc::Value* expressions = selector ? doc::find(*selector, "matchExpressions") : nullptr;
  if (expressions && expressions->is_array()) {
    for (const doc::Value& one : expressions->get_array()) add(requirement(one));
  }
  return text;
}

std::int64_t number(const doc::Value& object, std::string_view part, std::int64_t otherwise) {
  const doc::Value* found = doc::find(object, part, "replicas");
  return found && found->is_int64() ? found->get_int64() : otherwise;
}

}  // namespace

doc::Value scale_of(const doc::Value& object) {
  doc::Object metadata;
  for (const char* member : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (const doc::Value* found = doc::find(object, "metadata", member)) metadata[member] = *found;
  }
  doc::Object status{{"replicas", number(object, "status", 0)}};
  if (std::string text = selector_text(doc::find(object, "spec", "selector")); !text.empty()) {
    status["selector"] = std::move(text);
  }
  return doc::Object{{"kind", "Scale"},
                     {"apiVersion", "autoscaling/v1"},
                     {"metadata", std::move(metadata)},
                     {"spec", doc::Object{{"replicas", number(object, "spec", 1)}}},
                     {"status", std::move(status)}};
}

Outcome<void> take_scale(const Kind& kind, doc::Value& object, const doc::Value& scale) {
  const auto named = doc::find_string(scale, "kind");
  const auto version = doc::find_string(scale, "apiVersion");
  if (!scale.is_object() || (!named.empty() && named != "Scale") || (!version.empty() && version != "autoscaling/v1")) {
    return std::unexpected(bad_request("the body must be a Scale of autoscaling/v1"));
  }
  const doc::Value* given = doc::find(scale, "spec", "replicas");
  if (given && !given->is_int64()) return std::unexpected(bad_request("spec.replicas must be a whole number"));
  const std::int64_t replicas = given ? given->get_int64() : 0;
  if (replicas < 0) {
    return std::unexpected(
        refuse_invalid(*kind.resource, doc::find_string(object, "metadata", "name"),
                       {schema::invalid("spec.replicas", *given, "must be greater than or equal to 0")}));
  }
  doc::ensure_object(object.get_object(), "spec")["replicas"] = replicas;
  if (const auto demanded = doc::find_string(scale, "metadata", "resourceVersion"); !demanded.empty()) {
    doc::ensure_object(object.get_object(), "metadata")["resourceVersion"] = demanded;
  }
  return {};
}

}  // namespace tiphys::objects
