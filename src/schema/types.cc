#include "schema/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/strings.h"
#include "schema/rules.h"

namespace tiphys::schema {
namespace {

constexpr std::string_view kReference = "#/components/schemas/";
constexpr std::string_view kObjectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
constexpr int kDeepest = 64;

bool is_envelope(std::string_view name) {
  return name == "apiVersion" || name == "kind" || name == "metadata";
}

template <typename... Keys>
bool is_true(const doc::Value& value, const Keys&... path) {
  const doc::Value* found = doc::find(value, std::string_view(path)...);
  return found && found->is_bool() && found->get_bool();
}

std::optional<double> number_at(const doc::Value& schema, std::string_view key) {
  const doc::Value* found = doc::find(schema, key);
  return found && found->is_number() ? std::optional(found->to_number<double>()) : std::nullopt;
}

std::optional<std::uint64_t> count_at(const doc::Value& schema, std::string_view key) {
  const doc::Value* found = doc::find(schema, key);
  boost::system::error_code failed;
  if (!found || !found->is_number()) return std::nullopt;
  const auto count = found->to_number<std::uint64_t>(failed);
  return failed ? std::nullopt : std::optional(count);
}

std::vector<std::string> strings_at(const doc::Value& schema, std::string_view key) {
  std::vector<std::string> texts;
  const doc::Value* found = doc::find(schema, key);
  if (!found || !found->is_array()) return texts;
  for (const doc::Value& one : found->get_array()) {
    if (one.is_string()) texts.emplace_back(one.get_string());
  }
  return texts;
}

std::vector<std::uint32_t> field_number(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  for (const std::string_view part : split(text, '.')) {
    std::uint32_t number = 0;
    std::from_chars(part.data(), part.data() + part.size(), number);
    if (number != 0) numbers.push_back(number);
  }
  return numbers;
}

using Wire = Type::Wire;

/// Of those that Kubernetes has, by name; others are said in the schema.
Wire wire_of(std::string_view name, const doc::Value& schema) {
  static constexpr std::pair<std::string_view, Wire> kNamed[] = {
      {"io.k8s.apimachinery.pkg.apis.meta.v1.Time", Wire::kTime},
      {"io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", Wire::kMicroTime},
      {"io.k8s.apimachinery.pkg.api.resource.Quantity", Wire::kText},
      {"io.k8s.apimachinery.pkg.util.intstr.IntOrString", Wire::kIntOrString},
      {"io.k8s.apimachinery.pkg.runtime.RawExtension", Wire::kJson},
      {"io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", Wire::kJson},
      {"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON", Wire::kJson},
      {"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray", Wire::kSchemaOrList},
      {"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool", Wire::kSchemaOrBool},
      {"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray", Wire::kSchemaOrStrings},
  };
  static constexpr std::pair<std::string_view, Wire> kSaid[] = {{"json", Wire::kJson},
                                                                {"nested-json", Wire::kNestedJson},
                                                                {"number-text", Wire::kNumberText},
                                                                {"int-or-string", Wire::kIntOrString},
                                                                {"elements", Wire::kElements}};
  const auto named = std::ranges::find(kNamed, name, &std::pair<std::string_view, Wire>::first);
  if (named != std::end(kNamed)) return named->second;
  const auto said =
      std::ranges::find(kSaid, doc::find_string(schema, "x-wire"), &std::pair<std::string_view, Wire>::first);
  return said != std::end(kSaid) ? said->second : Wire::kMembers;
}

}  // namespace

/// Compiles into a pool, filling in what schemas refer to once all have their places.
class Compiler {
 public:
  explicit Compiler(Types& types) : types_(types) {}

  Status name_all(const doc::Object& schemas) {
    for (const auto& [name, schema] : schemas) {
      Type& type = types_.pool_.emplace_back();
      type.name = name;
      types_.named_.insert_or_assign(name, &type);
    }
    for (const auto& [name, schema] : schemas) {
      auto& type = const_cast<Type&>(*types_.named_.find(name)->second);
      if (const Status filled = fill(type, schema, 0); !filled) return std::unexpected(filled.error().in(name));
    }
    finish();
    return {};
  }

  /// What waits for the types that it refers to.
  void finish() {
    for (const auto& [copy, original, atomic] : copies_) {
      *copy = *original;
      copy->atomic = atomic;
    }
    copies_.clear();
  }

  Result<const Type*> compile(const doc::Value& schema, int depth) {
    if (!schema.is_object()) return fail(Code::kInvalidArgument, "a schema must be an object");
    if (depth > kDeepest) return fail(Code::kInvalidArgument, "the schema is too deep");
    if (const auto reference = reference_in(schema); !reference.empty()) return refer(reference, schema);
    Type& type = types_.pool_.emplace_back();
    TIPHYS_CHECK_OK(fill(type, schema, depth));
    return &type;
  }

 private:
  /// An allOf of one reference is there to carry a description.
  static std::string_view reference_in(const doc::Value& schema) {
    const doc::Value* all = doc::find(schema, "allOf");
    const bool alone = all && all->is_array() && all->get_array().size() == 1;
    return doc::find_string(alone ? all->get_array()[0] : schema, "$ref");
  }

  /// A field may say otherwise than its type whether a map is owned as a whole.
  struct Copy {
    Type* copy;
    const Type* original;
    bool atomic;
  };

  Result<const Type*> refer(std::string_view reference, const doc::Value& schema) {
    const Type* found = reference.starts_with(kReference) ? types_.find(reference.substr(kReference.size())) : nullptr;
    if (!found) return fail(Code::kInvalidArgument, fmt::format("$ref: there is no schema \"{}\"", reference));
    const auto map_type = doc::find_string(schema, "x-kubernetes-map-type");
    if (map_type.empty()) return found;
    copies_.push_back({&types_.pool_.emplace_back(), found, map_type == "atomic"});
    return copies_.back().copy;
  }

  Status fill(Type& type, const doc::Value& schema, int depth) {
    type.format = doc::find_string(schema, "format");
    type.wire = wire_of(type.name, schema);
    fill_kind(type, schema);
    type.nullable = is_true(schema, "nullable");
    type.keeps_unknown = is_true(schema, "x-kubernetes-preserve-unknown-fields");
    type.embedded_resource = is_true(schema, "x-kubernetes-embedded-resource");
    type.form = form_of(schema);
    type.required = strings_at(schema, "required");
    TIPHYS_CHECK_OK(fill_fields(type, schema, depth));
    TIPHYS_CHECK_OK(fill_element(type, schema, depth));
    fill_merging(type, schema);
    return fill_rules(type, schema, depth);
  }

  static void fill_kind(Type& type, const doc::Value& schema) {
    const doc::Value* kinds = doc::find(schema, "x-kubernetes-group-version-kind");
    if (!kinds || !kinds->is_array() || kinds->get_array().size() != 1) return;
    const doc::Value& kind = kinds->get_array()[0];
    type.kind = doc::find_string(kind, "kind");
    type.api_version = fmt::format("{}/{}", doc::find_string(kind, "group"), doc::find_string(kind, "version"));
  }

  static Type::Form form_of(const doc::Value& schema) {
    using Form = Type::Form;
    const auto type = doc::find_string(schema, "type");
    const auto format = doc::find_string(schema, "format");
    if (is_true(schema, "x-kubernetes-int-or-string") || format == "int-or-string") return Form::kIntOrString;
    // Quantities are told as a oneOf of a string and a number.
    if (type.empty() && doc::find(schema, "oneOf") && !doc::find(schema, "properties")) return Form::kIntOrString;
    if (type == "string") return Form::kString;
    if (type == "integer") return Form::kInteger;
    if (type == "number") return Form::kNumber;
    if (type == "boolean") return Form::kBoolean;
    if (type == "array") return Form::kList;
    if (doc::find(schema, "properties")) return Form::kObject;
    if (doc::find(schema, "additionalProperties")) return Form::kMap;
    return type == "object" ? Form::kObject : Form::kAny;
  }

  Status fill_fields(Type& type, const doc::Value& schema, int depth) {
    static const doc::Object kNone;
    const doc::Value* properties = doc::find(schema, "properties");
    for (const auto& [name, property] : properties && properties->is_object() ? properties->get_object() : kNone) {
      auto compiled = compile(property, depth + 1);
      if (!compiled) return std::unexpected(compiled.error().in(name));
      Field field{.name = name, .type = *compiled};
      if (const doc::Value* otherwise = doc::find(property, "default")) field.otherwise = *otherwise;
      field.pointer = is_true(property, "x-pointer");
      field.number = field_number(doc::find_string(property, "x-number"));
      type.fields.push_back(std::move(field));
    }
    if (type.embedded_resource) fill_envelope(type);
    std::ranges::sort(type.fields, {}, &Field::name);
    return {};
  }

  /// What every object has, for one within another.
  void fill_envelope(Type& type) {
    const Type* metadata = types_.find(kObjectMeta);
    if (!metadata) return;
    std::erase_if(type.fields, [](const Field& field) { return is_envelope(field.name); });
    Type& text = types_.pool_.emplace_back();
    text.form = Type::Form::kString;
    type.fields.push_back({.name = "apiVersion", .type = &text});
    type.fields.push_back({.name = "kind", .type = &text});
    type.fields.push_back({.name = "metadata", .type = metadata});
    for (const char* name : {"apiVersion", "kind"}) {
      if (std::ranges::find(type.required, name) == type.required.end()) type.required.emplace_back(name);
    }
  }

  Status fill_element(Type& type, const doc::Value& schema, int depth) {
    const doc::Value* element = doc::find(schema, type.form == Type::Form::kList ? "items" : "additionalProperties");
    if (element && element->is_bool()) {
      type.keeps_unknown = type.keeps_unknown || element->get_bool();
      return {};
    }
    if (!element) return {};
    auto compiled = compile(*element, depth + 1);
    if (!compiled) return std::unexpected(compiled.error().in("items"));
    type.element = *compiled;
    if (const doc::Value* otherwise = doc::find(*element, "default")) type.element_otherwise = *otherwise;
    return {};
  }

  static void fill_merging(Type& type, const doc::Value& schema) {
    const auto list_type = doc::find_string(schema, "x-kubernetes-list-type");
    const bool list = type.form == Type::Form::kList;
    type.set = list_type == "set";
    if (list_type == "map") type.keys = strings_at(schema, "x-kubernetes-list-map-keys");
    type.atomic = list ? !type.set && type.keys.empty() : doc::find_string(schema, "x-kubernetes-map-type") == "atomic";
    const auto strategy = doc::find_string(schema, "x-kubernetes-patch-strategy");
    type.merges = strategy.find("merge") != strategy.npos;
    type.retains_keys = strategy.find("retainKeys") != strategy.npos;
    type.merge_key = doc::find_string(schema, "x-kubernetes-patch-merge-key");
  }

  Result<std::vector<const Type*>> alternatives(const doc::Value& schema, std::string_view key, int depth) {
    std::vector<const Type*> types;
    const doc::Value* found = doc::find(schema, key);
    if (!found || !found->is_array()) return types;
    for (const doc::Value& one : found->get_array()) {
      auto compiled = compile(one, depth + 1);
      if (!compiled) return std::unexpected(compiled.error().in(key));
      types.push_back(*compiled);
    }
    return types;
  }

  Status fill_rules(Type& type, const doc::Value& schema, int depth) {
    auto rules = std::make_shared<Rules>();
    bool any = false;
    const auto take = [&](auto& place, auto value) {
      if (!value) return;
      place = value;
      any = true;
    };
    if (const doc::Value* choices = doc::find(schema, "enum"); choices && choices->is_array()) {
      rules->choices.assign(choices->get_array().begin(), choices->get_array().end());
      any = any || !rules->choices.empty();
    }
    if (const auto pattern = doc::find_string(schema, "pattern"); !pattern.empty()) {
      rules->pattern = std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), re2::RE2::Quiet);
      if (!rules->pattern->ok()) {
        return fail(Code::kInvalidArgument, fmt::format("pattern \"{}\": {}", pattern, rules->pattern->error()));
      }
      any = true;
    }
    take(rules->minimum, number_at(schema, "minimum"));
    take(rules->maximum, number_at(schema, "maximum"));
    take(rules->multiple_of, number_at(schema, "multipleOf"));
    rules->exclusive_minimum = is_true(schema, "exclusiveMinimum");
    rules->exclusive_maximum = is_true(schema, "exclusiveMaximum");
    take(rules->least_length, count_at(schema, "minLength"));
    take(rules->most_length, count_at(schema, "maxLength"));
    take(rules->least_items, count_at(schema, "minItems"));
    take(rules->most_items, count_at(schema, "maxItems"));
    take(rules->least_properties, count_at(schema, "minProperties"));
    take(rules->most_properties, count_at(schema, "maxProperties"));
    if (is_true(schema, "uniqueItems")) any = rules->unique_items = true;
    TIPHYS_TRY(rules->all_of, alternatives(schema, "allOf", depth));
    // Of these two forms `form` says as much.
    if (type.form != Type::Form::kIntOrString) {
      TIPHYS_TRY(rules->any_of, alternatives(schema, "anyOf", depth));
      TIPHYS_TRY(rules->one_of, alternatives(schema, "oneOf", depth));
    }
    if (const doc::Value* none = doc::find(schema, "not")) {
      TIPHYS_TRY(rules->none_of, compile(*none, depth + 1));
    }
    any = any || !rules->all_of.empty() || !rules->any_of.empty() || !rules->one_of.empty() || rules->none_of;
    if (any) type.rules = std::move(rules);
    return {};
  }

  Types& types_;
  std::vector<Copy> copies_{};
};

const Field* Type::find(std::string_view field) const {
  const auto found =
      std::ranges::lower_bound(fields, field, {}, [](const Field& one) -> std::string_view { return one.name; });
  return found != fields.end() && found->name == field ? &*found : nullptr;
}

const Field* Type::find_number(std::span<const std::uint32_t> number) const {
  const auto found =
      std::ranges::find_if(fields, [&](const Field& field) { return std::ranges::equal(field.number, number); });
  return found == fields.end() ? nullptr : &*found;
}

bool Type::has_in_line(std::span<const std::uint32_t> number) const {
  return std::ranges::any_of(fields, [&](const Field& field) {
    return field.number.size() > number.size() &&
           std::ranges::equal(number, std::span(field.number).first(number.size()));
  });
}

Status Types::add(const doc::Object& schemas) {
  return Compiler(*this).name_all(schemas);
}

Result<const Type*> Types::compile(const doc::Value& schema) {
  Compiler compiler(*this);
  auto type = compiler.compile(schema, 0);
  compiler.finish();
  return type;
}

const Type* Types::find(std::string_view name) const {
  const auto found = named_.find(name);
  if (found != named_.end()) return found->second;
  return base_ ? base_->find(name) : nullptr;
}

}  // namespace tiphys::schema
