#include "objects/structural.h"

#include <fmt/format.h>

#include <algorithm>

#include "doc/truth.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;

const std::vector<std::string> kTypes{"array", "boolean", "integer", "number", "object", "string"};

std::string key(const std::string& at, std::string_view name) {
  return fmt::format("{}[{}]", at, name);
}

/// Gathers what is wrong with a schema and those below it.
class Structure {
 public:
  explicit Structure(FieldErrors& errors) : errors_(errors) {}

  void check_root(const doc::Value& schema, const std::string& at) {
    const auto type = doc::find_string(schema, "type");
    if (type.empty()) {
      errors_.push_back(schema::required(at + ".type", "must not be empty at the root"));
    } else if (type != "object") {
      errors_.push_back(schema::invalid(at + ".type", doc::Value(type), "must be object at the root"));
    }
    const doc::Value* metadata = doc::find(schema, "properties", "metadata");
    const doc::Value* below = metadata ? doc::find(*metadata, "properties") : nullptr;
    if (below && below->is_object()) {
      const bool plain = std::ranges::all_of(below->get_object(), [](const auto& property) {
        return property.key() == "name" || property.key() == "generateName";
      });
      if (!plain) {
        errors_.push_back(schema::forbidden(
            at + ".properties[metadata]",
            "must not specify anything other than name and generateName, but metadata is implicitly specified"));
      }
    }
    check_rules(schema, at);
    check_below(schema, at);
  }

 private:
  void forbid(std::string at, std::string_view why) { errors_.push_back(schema::forbidden(std::move(at), why)); }

  void check(const doc::Value& schema, const std::string& at, std::string_view of) {
    if (!schema.is_object()) return;
    const auto type = doc::find_string(schema, "type");
    const bool free = doc::is_true(schema, "x-kubernetes-int-or-string") ||
                      doc::is_true(schema, "x-kubernetes-preserve-unknown-fields");
    if (type.empty() && !free) {
      errors_.push_back(schema::required(at + ".type", fmt::format("must not be empty for specified {}", of)));
    } else if (!type.empty() && std::ranges::find(kTypes, type) == kTypes.end()) {
      errors_.push_back(schema::not_supported(at + ".type", doc::Value(type), kTypes));
    }
    check_rules(schema, at);
    check_below(schema, at);
  }

  void check_below(const doc::Value& schema, const std::string& at) {
    if (const doc::Value* properties = doc::find(schema, "properties"); properties && properties->is_object()) {
      for (const auto& [name, property] : properties->get_object()) {
        check(property, key(at + ".properties", name), "object fields");
      }
    }
    if (const doc::Value* items = doc::find(schema, "items")) check(*items, at + ".items", "array items");
    const doc::Value* others = doc::find(schema, "additionalProperties");
    if (others && others->is_object()) check(*others, at + ".additionalProperties", "object fields");
  }

  void check_rules(const doc::Value& schema, const std::string& at) {
    const auto type = doc::find_string(schema, "type");
    const doc::Value* others = doc::find(schema, "additionalProperties");
    if (doc::find(schema, "properties") && others && *others != doc::Value(false)) {
      forbid(at + ".additionalProperties", "additionalProperties and properties are mutual exclusive");
    }
    if (type == "array" && !doc::find(schema, "items")) {
      errors_.push_back(schema::required(at + ".items", "must be specified"));
    }
    if (doc::is_true(schema, "uniqueItems")) {
      forbid(at + ".uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
    }
    if (doc::find(schema, "$ref")) forbid(at + ".$ref", "$ref is not supported");
    check_list(schema, at);
    check_default(schema, at);
  }

  void check_list(const doc::Value& schema, const std::string& at) {
    const auto list = doc::find_string(schema, "x-kubernetes-list-type");
    if (list.empty()) return;
    if (list != "atomic" && list != "set" && list != "map") {
      errors_.push_back(
          schema::not_supported(at + ".x-kubernetes-list-type", doc::Value(list), {"atomic", "set", "map"}));
    }
    const doc::Value* keys = doc::find(schema, "x-kubernetes-list-map-keys");
    if (list == "map" && (!keys || !keys->is_array() || keys->get_array().empty())) {
      errors_.push_back(
          schema::required(at + ".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"));
    }
  }

  /// That a default is no scalar of another type, and no object with fields that would be pruned at once.
  void check_default(const doc::Value& schema, const std::string& at) {
    const doc::Value* value = doc::find(schema, "default");
    if (!value) return;
    const auto type = doc::find_string(schema, "type");
    const std::string_view is = value->is_string()   ? "string"
                                : value->is_bool()   ? "boolean"
                                : value->is_double() ? "number"
                                : value->is_number() ? "integer"
                                : value->is_array()  ? "array"
                                : value->is_object() ? "object"
                                                     : "null";
    const bool fits = type.empty() || is == type || is == "null" || (type == "number" && is == "integer");
    if (!fits) {
      return errors_.push_back(
          {schema::FieldError::Kind::kTypeInvalid, at + ".default",
           fmt::format("Invalid value: \"{0}\":  in body must be of type {1}: \"{0}\"", is, type)});
    }
    if (!value->is_object() || doc::is_true(schema, "x-kubernetes-preserve-unknown-fields") ||
        doc::find(schema, "additionalProperties")) {
      return;
    }
    for (const auto& [name, member] : value->get_object()) {
      if (doc::find(schema, "properties", name)) continue;
      return errors_.push_back(schema::invalid(at + ".default", *value, "must not have unknown fields"));
    }
  }

  FieldErrors& errors_;
};

}  // namespace

void check_structural(const doc::Value& schema, const std::string& at, FieldErrors& errors) {
  Structure(errors).check_root(schema, at);
}

}  // namespace tiphys::objects
