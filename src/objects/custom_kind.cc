#include "objects/custom_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "base/check.h"
#include "base/strings.h"
#include "cluster/custom_definition.h"
#include "doc/truth.h"
#include "objects/columns.h"
#include "objects/names.h"
#include "objects/structural.h"

namespace tiphys::objects {
namespace {

/// In the order in which Kubernetes tells them of custom kinds.
constexpr std::array<std::string_view, 8> kCustomVerbs{"delete", "deletecollection", "get",    "list",
                                                       "patch",  "create",           "update", "watch"};
constexpr std::string_view kObjectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const doc::Array& versions_of(const doc::Value& definition) {
  static const doc::Array kNone;
  const doc::Value* versions = doc::find(definition, "spec", "versions");
  return versions && versions->is_array() ? versions->get_array() : kNone;
}

/// Kubernetes' order of versions: GA before beta before alpha, the newer first (v2, v1, v1beta2, v1alpha1, others).
std::tuple<int, int, int> rank_of(std::string_view version) {
  const auto number = [](std::string_view& text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return -1;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
  };
  std::string_view rest = version;
  if (!rest.starts_with('v')) return {-1, 0, 0};
  rest.remove_prefix(1);
  const int major = number(rest);
  if (major <= 0) return {-1, 0, 0};
  if (rest.empty()) return {2, major, 0};
  for (const auto& [word, stage] : {std::pair{std::string_view("beta"), 1}, {std::string_view("alpha"), 0}}) {
    if (!rest.starts_with(word)) continue;
    std::string_view minor_text = rest.substr(word.size());
    const int minor = number(minor_text);
    if (minor > 0 && minor_text.empty()) return {stage, major, minor};
  }
  return {-1, 0, 0};
}

/// "com.example.v1.Lamp" of the group example.com.
std::string schema_name(std::string_view group, std::string_view version, std::string_view kind) {
  auto parts = split(group, '.');
  std::ranges::reverse(parts);
  std::string name;
  for (const std::string_view part : parts) name += fmt::format("{}.", part);
  return fmt::format("{}{}.{}", name, version, kind);
}

/// The schema of a version with apiVersion, kind and metadata as every object has them.
doc::Value whole_schema(const doc::Value& version) {
  const doc::Value* given = doc::find(version, "schema", "openAPIV3Schema");
  doc::Value schema = given && given->is_object() ? *given : doc::Value(doc::Object{{"type", "object"}});
  doc::Object& properties = doc::ensure_object(schema.as_object(), "properties");
  properties["apiVersion"] = doc::Object{{"type", "string"}};
  properties["kind"] = doc::Object{{"type", "string"}};
  properties["metadata"] = doc::Object{{"$ref", fmt::format("#/components/schemas/{}", kObjectMeta)}};
  return schema;
}

void add_columns(const doc::Value& version, CustomVersion& custom) {
  custom.columns.push_back(kNameColumn);
  const doc::Value* columns = doc::find(version, "additionalPrinterColumns");
  if (!columns || !columns->is_array() || columns->get_array().empty()) {
    custom.columns.push_back(kAgeColumn);
    return;
  }
  const auto keep = [&](const doc::Value& column, const char* member) -> std::string_view {
    return custom.texts.emplace_back(doc::find_string(column, member));
  };
  const auto about_of = [&](const doc::Value& column) -> std::string_view {
    const auto given = doc::find_string(column, "description");
    if (!given.empty()) return custom.texts.emplace_back(given);
    return custom.texts.emplace_back(fmt::format("Custom resource definition column (in JSONPath format): {}",
                                                 doc::find_string(column, "jsonPath")));
  };
  for (const doc::Value& column : columns->get_array()) {
    const doc::Value* priority = doc::find(column, "priority");
    custom.columns.push_back(
        {.name = keep(column, "name"),
         .type = keep(column, "type"),
         .priority = priority && priority->is_int64() ? static_cast<int>(priority->get_int64()) : 0,
         .about = about_of(column),
         .path = keep(column, "jsonPath"),
         .format = keep(column, "format")});
  }
}

/// ".spec.replicas" in its parts.
std::vector<std::string> fields_of(std::string_view path) {
  std::vector<std::string> fields;
  for (const std::string_view part : split(path, '.')) {
    if (!part.empty()) fields.emplace_back(part);
  }
  return fields;
}

ScalePaths scale_of_version(const doc::Value& version) {
  ScalePaths paths{.of_definition = true};
  const auto take = [&](std::vector<std::string>& to, const char* member) {
    if (auto fields = fields_of(doc::find_string(version, "subresources", "scale", member)); !fields.empty()) {
      to = std::move(fields);
    }
  };
  take(paths.replicas, "specReplicasPath");
  take(paths.observed, "statusReplicasPath");
  take(paths.selector, "labelSelectorPath");
  return paths;
}

/// What a client of this version is warned of.
std::string deprecation_of(const doc::Value& definition, const doc::Value& version) {
  if (!doc::is_true(version, "deprecated")) return "";
  if (const auto said = doc::find_string(version, "deprecationWarning"); !said.empty()) return std::string(said);
  const auto group = doc::find_string(definition, "spec", "group");
  const auto kind = doc::find_string(definition, "spec", "names", "kind");
  const auto name = doc::find_string(version, "name");
  std::string_view better;
  for (const doc::Value& other : versions_of(definition)) {
    const auto other_name = doc::find_string(other, "name");
    if (!doc::is_true(other, "served") || doc::is_true(other, "deprecated")) continue;
    if (rank_of(other_name) > rank_of(better.empty() ? name : better)) better = other_name;
  }
  if (better.empty()) return fmt::format("{}/{} {} is deprecated", group, name, kind);
  return fmt::format("{0}/{1} {2} is deprecated; use {0}/{3} {2}", group, name, kind, better);
}

std::shared_ptr<CustomVersion> make_version(const doc::Value& definition, const doc::Value& version) {
  auto custom = std::make_shared<CustomVersion>();
  custom->deprecation = deprecation_of(definition, version);
  custom->schema = whole_schema(version);
  auto type = custom->types.compile(custom->schema);
  TIPHYS_CHECK(type, "a definition's schemas are checked before it is stored");
  custom->type = *type;
  const doc::Value* metadata = doc::find(version, "schema", "openAPIV3Schema", "properties", "metadata");
  if (metadata && doc::find(*metadata, "properties")) {
    auto rules = custom->types.compile(*metadata);
    TIPHYS_CHECK(rules, "a definition's schemas are checked before it is stored");
    custom->metadata = *rules;
  }
  custom->scaled = doc::find(version, "subresources", "scale") != nullptr;
  custom->scale = scale_of_version(version);
  add_columns(version, *custom);
  return custom;
}

KindPtr make_kind(const doc::Value& definition, const doc::Value& version, const cluster::Resource& resource,
                  std::shared_ptr<const CustomVersion> custom) {
  const std::string name(doc::find_string(version, "name"));
  Kind kind{.resource = &resource,
            .version = name,
            .list_kind = std::string(doc::find_string(definition, "spec", "names", "listKind")),
            .type_name = schema_name(resource.group, name, resource.kind),
            .type = custom->type,
            .verbs = kCustomVerbs,
            .columns = custom->columns,
            .has_status = doc::find(version, "subresources", "status") != nullptr,
            .custom = std::move(custom)};
  if (kind.has_status) kind.subresources.push_back({"status", resource.kind, "", "", kPartVerbs});
  if (kind.custom->scaled) {
    kind.subresources.push_back({"scale", "Scale", "autoscaling", "v1", kPartVerbs});
  }
  return std::make_shared<const Kind>(std::move(kind));
}

void require_text(const doc::Value& definition, std::initializer_list<const char*> path, schema::FieldErrors& errors) {
  const doc::Value* value = &definition;
  std::string at;
  for (const char* part : path) {
    value = value ? doc::find(*value, part) : nullptr;
    at += (at.empty() ? "" : ".") + std::string(part);
  }
  if (!value || !value->is_string() || value->get_string().empty()) errors.push_back(schema::required(at));
}

void check_version(const doc::Value& version, const std::string& at, const std::string& at_schema,
                   schema::FieldErrors& errors) {
  const auto name = doc::find_string(version, "name");
  if (name.empty()) errors.push_back(schema::required(at + ".name"));
  for (const std::string& complaint : name.empty() ? Complaints() : dns_1035_label(name)) {
    errors.push_back(schema::invalid(at + ".name", doc::Value(name), complaint));
  }
  const doc::Value* given = doc::find(version, "schema", "openAPIV3Schema");
  const bool empty = !given || !given->is_object() || given->get_object().empty();
  if (empty) {
    errors.push_back(schema::required(at + ".schema.openAPIV3Schema"));
    return;
  }
  const std::size_t before = errors.size();
  check_structural(*given, at_schema, errors);
  if (errors.size() > before) return;
  schema::Types types(&schema::kubernetes_types());
  if (const auto compiled = types.compile(whole_schema(version)); !compiled) {
    errors.push_back(schema::invalid(at_schema, "", compiled.error().message));
  }
}

void check_columns(const doc::Value& version, const std::string& at, schema::FieldErrors& errors) {
  const doc::Value* columns = doc::find(version, "additionalPrinterColumns");
  if (!columns || !columns->is_array()) return;
  std::size_t i = 0;
  for (const doc::Value& column : columns->get_array()) {
    const std::string here = fmt::format("{}[{}]", at, i++);
    const auto type = doc::find_string(column, "type"), path = doc::find_string(column, "jsonPath");
    if (doc::find_string(column, "name").empty()) errors.push_back(schema::required(here + ".name"));
    const bool known = type == "boolean" || type == "date" || type == "integer" || type == "number" || type == "string";
    if (!known) {
      errors.push_back(
          schema::invalid(here + ".type", doc::Value(type), "must be one of boolean,date,integer,number,string"));
    }
    if (path.empty()) {
      errors.push_back(schema::required(here + ".JSONPath"));
    } else if (!path.starts_with('.')) {
      errors.push_back(
          schema::invalid(here + ".JSONPath", doc::Value(path), "must be a simple json path starting with ."));
    }
  }
}

/// What is the same in all versions is told of the whole.
struct Places {
  std::string schema, columns;
};
Places places_of(std::size_t versions, const std::string& at) {
  if (versions == 1) return {"spec.validation.openAPIV3Schema", "spec.additionalPrinterColumns"};
  return {at + ".schema.openAPIV3Schema", at + ".additionalPrinterColumns"};
}

void check_names(const doc::Value& definition, schema::FieldErrors& errors) {
  const auto check = [&](const std::string& at, std::string_view name, std::string_view about) {
    for (const std::string& complaint : name.empty() ? Complaints() : dns_1035_label(name)) {
      errors.push_back(schema::invalid(at, doc::Value(name), std::string(about) + complaint));
    }
  };
  const auto lower = [](std::string_view text) {
    std::string made(text);
    std::ranges::transform(made, made.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return made;
  };
  check("spec.names.plural", doc::find_string(definition, "spec", "names", "plural"), "");
  check("spec.names.singular", doc::find_string(definition, "spec", "names", "singular"), "");
  const auto kind = doc::find_string(definition, "spec", "names", "kind");
  for (const std::string& complaint : kind.empty() ? Complaints() : dns_1035_label(lower(kind))) {
    errors.push_back(schema::invalid("spec.names.kind", doc::Value(kind),
                                     "may have mixed case, but should otherwise match: " + complaint));
  }
  for (const char* list : {"shortNames", "categories"}) {
    const doc::Value* names = doc::find(definition, "spec", "names", list);
    if (!names || !names->is_array()) continue;
    std::size_t i = 0;
    for (const doc::Value& name : names->get_array()) {
      check(fmt::format("spec.names.{}[{}]", list, i++), doc::scalar_text(name), "");
    }
  }
}

}  // namespace

std::vector<KindPtr> make_custom_kinds(const doc::Value& definition) {
  std::vector<KindPtr> kinds;
  const auto names = cluster::names_of(definition);
  if (!names) return kinds;
  const cluster::Resource& resource = cluster::custom_resource(*names);
  const auto stored = std::ranges::find_if(versions_of(definition),
                                           [](const doc::Value& version) { return doc::is_true(version, "storage"); });
  TIPHYS_CHECK(stored != versions_of(definition).end(), "a definition has one version that is stored");
  const auto of_stored = make_version(definition, *stored);
  for (const doc::Value& version : versions_of(definition)) {
    if (!doc::is_true(version, "served")) continue;
    auto custom = of_stored;
    if (&version != &*stored) {
      custom = make_version(definition, version);
      custom->stored = of_stored;
    }
    kinds.push_back(make_kind(definition, version, resource, std::move(custom)));
  }
  std::ranges::stable_sort(kinds, std::greater(), [](const KindPtr& kind) { return rank_of(kind->version); });
  return kinds;
}

std::string_view deprecation_of(const Kind& kind) {
  if (kind.custom) return kind.custom->deprecation;
  if (kind.resource != &cluster::kEndpoints) return "";
  return "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
}

const ScalePaths& scale_paths(const Kind& kind) {
  static const ScalePaths kOwn;
  return kind.custom ? kind.custom->scale : kOwn;
}

void fill_definition(doc::Object& definition) {
  doc::Object& spec = doc::ensure_object(definition, "spec");
  doc::Object& names = doc::ensure_object(spec, "names");
  const doc::Value* kind = names.if_contains("kind");
  if (kind && kind->is_string()) {
    std::string lower(kind->get_string());
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const std::string list = std::string(kind->get_string()) + "List";
    if (!names.contains("singular")) names["singular"] = lower;
    if (!names.contains("listKind")) names["listKind"] = list;
  }
  if (!spec.contains("conversion")) spec["conversion"] = doc::Object{{"strategy", "None"}};
}

void check_definition(const doc::Value& definition, schema::FieldErrors& errors) {
  require_text(definition, {"spec", "group"}, errors);
  require_text(definition, {"spec", "names", "plural"}, errors);
  require_text(definition, {"spec", "names", "kind"}, errors);
  const auto scope = doc::find_string(definition, "spec", "scope");
  if (scope.empty()) {
    errors.push_back(schema::required("spec.scope"));
  } else if (scope != "Cluster" && scope != "Namespaced") {
    errors.push_back(schema::not_supported("spec.scope", doc::Value(scope), {"Cluster", "Namespaced"}));
  }
  const auto name = doc::find_string(definition, "metadata", "name");
  const auto wanted = fmt::format("{}.{}", doc::find_string(definition, "spec", "names", "plural"),
                                  doc::find_string(definition, "spec", "group"));
  if (name != wanted) {
    errors.push_back(schema::invalid("metadata.name", doc::Value(name), "must be spec.names.plural+\".\"+spec.group"));
  }
  check_names(definition, errors);
  const auto group = doc::find_string(definition, "spec", "group");
  if (!group.empty()) {
    const Complaints complaints = dns_subdomain(group);
    for (const std::string& complaint : complaints) {
      errors.push_back(schema::invalid("spec.group", doc::Value(group), complaint));
    }
    if (complaints.empty() && group.find('.') == group.npos) {
      errors.push_back(schema::invalid("spec.group", doc::Value(group), "should be a domain with at least one dot"));
    }
  }
  if (doc::is_true(definition, "spec", "preserveUnknownFields")) {
    errors.push_back(schema::invalid("spec.preserveUnknownFields", true,
                                     "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                                     "spec.versions[*].schema instead"));
  }
  std::size_t i = 0, stored = 0;
  std::vector<std::string> seen;
  for (const doc::Value& version : versions_of(definition)) {
    const std::string at = fmt::format("spec.versions[{}]", i++);
    const Places places = places_of(versions_of(definition).size(), at);
    check_version(version, at, places.schema, errors);
    check_columns(version, places.columns, errors);
    if (doc::is_true(version, "storage")) ++stored;
    const std::string version_name(doc::find_string(version, "name"));
    if (std::ranges::find(seen, version_name) != seen.end()) {
      errors.push_back(schema::invalid("spec.versions", doc::Value(version_name), "must contain unique version names"));
    }
    seen.push_back(version_name);
  }
  if (stored != 1) {
    const doc::Value* versions = doc::find(definition, "spec", "versions");
    errors.push_back(schema::invalid("spec.versions", versions ? *versions : doc::Value(),
                                     "must have exactly one version marked as storage version"));
  }
  const auto strategy = doc::find_string(definition, "spec", "conversion", "strategy");
  if (strategy != "None") {
    errors.push_back(schema::not_supported("spec.conversion.strategy", doc::Value(strategy), {"None"}));
  }
}

void check_definition_update(const doc::Value& before, const doc::Value& after, schema::FieldErrors& errors) {
  const auto keep = [&](const std::string& field, std::string_view old, std::string_view now) {
    if (old != now) errors.push_back(schema::invalid(field, doc::Value(now), "field is immutable"));
  };
  keep("spec.group", doc::find_string(before, "spec", "group"), doc::find_string(after, "spec", "group"));
  keep("spec.scope", doc::find_string(before, "spec", "scope"), doc::find_string(after, "spec", "scope"));
  for (const char* name : {"plural", "kind"}) {
    keep(fmt::format("spec.names.{}", name), doc::find_string(before, "spec", "names", name),
         doc::find_string(after, "spec", "names", name));
  }
  const doc::Value* stored = doc::find(after, "status", "storedVersions");
  if (!stored || !stored->is_array()) return;
  std::size_t i = 0;
  for (const doc::Value& version : stored->get_array()) {
    const std::string at = fmt::format("status.storedVersions[{}]", i++);
    const bool there = std::ranges::any_of(versions_of(after), [&](const doc::Value& one) {
      return doc::Value(doc::find_string(one, "name")) == version;
    });
    if (there) continue;
    errors.push_back(schema::invalid(
        at, version,
        fmt::format(
            "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions "
            "until a storage migration ensures no data remains persisted in {0} and removes {0} from "
            "status.storedVersions",
            doc::scalar_text(version))));
  }
}

}  // namespace tiphys::objects
