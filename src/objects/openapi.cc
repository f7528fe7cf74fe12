#include "objects/openapi.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <set>
#include <vector>

#include "schema/descriptions.h"

namespace tiphys::objects {
namespace {

constexpr std::string_view kReference = "#/components/schemas/";
constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1";
constexpr const char* kGroupVersionKind = "x-kubernetes-group-version-kind";

/// v2 says beside a reference what the field is for; in v3 nothing may stand beside one.
enum class Form { kV2, kV3 };

void describe_field(doc::Object& field, std::string_view text, Form form) {
  if (text.empty()) return;
  field["description"] = text;
  const doc::Value* reference = field.if_contains("$ref");
  if (!reference || form == Form::kV2) return;
  field["allOf"] = doc::Array{doc::Object{{"$ref", *reference}}};
  field.erase("$ref");
}

void describe_type(std::string_view name, doc::Value& schema, Form form) {
  doc::Object* object = schema.if_object();
  if (!object) return;
  if (const auto text = schema::describe(name); !text.empty()) (*object)["description"] = text;
  doc::Value* properties = object->if_contains("properties");
  if (!properties || !properties->is_object()) return;
  for (auto& [key, field] : properties->get_object()) {
    if (field.is_object()) describe_field(field.get_object(), schema::describe(name, key), form);
  }
}

/// A copy with descriptions, and without what only protobuf needs.
doc::Value published(std::string_view name, const doc::Value& schema, Form form) {
  doc::Value copy = schema;
  const std::function<void(doc::Value&)> clean = [&](doc::Value& value) {
    if (doc::Object* object = value.if_object()) {
      object->erase("x-number");
      object->erase("x-pointer");
      for (auto& [key, member] : *object) clean(member);
    } else if (doc::Array* list = value.if_array()) {
      for (doc::Value& one : *list) clean(one);
    }
  };
  clean(copy);
  describe_type(name, copy, form);
  return copy;
}

void gather_references(const doc::Value& value, std::vector<std::string>& found) {
  if (const doc::Object* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (key == "$ref" && member.is_string() && std::string_view(member.get_string()).starts_with(kReference)) {
        found.emplace_back(std::string_view(member.get_string()).substr(kReference.size()));
      } else {
        gather_references(member, found);
      }
    }
  } else if (const doc::Array* list = value.if_array()) {
    for (const doc::Value& one : *list) gather_references(one, found);
  }
}

doc::Object group_version_kind(const Kind& kind) {
  return {{"group", kind.resource->group}, {"kind", kind.resource->kind}, {"version", kind.version}};
}

/// The named schemas and all that they refer to.
doc::Object with_references(const Kinds& kinds, std::vector<std::string> names, Form form) {
  doc::Object schemas;
  std::set<std::string> seen(names.begin(), names.end());
  while (!names.empty()) {
    const std::string name = std::move(names.back());
    names.pop_back();
    const doc::Value* schema = kinds.schema(name);
    if (!schema) continue;
    schemas[name] = published(name, *schema, form);
    std::vector<std::string> references;
    gather_references(*schema, references);
    for (std::string& one : references) {
      if (seen.insert(one).second) names.push_back(std::move(one));
    }
  }
  return schemas;
}

doc::Object parameter(const char* name, const char* type) {
  return {{"name", name}, {"in", "query"}, {"schema", doc::Object{{"type", type}, {"uniqueItems", true}}}};
}

struct Verb {
  const char* method;
  const char* action;
  bool item;  ///< of one object, not of the collection
  bool writes;
};
constexpr std::array kVerbs{Verb{"get", "list", false, false},
                            Verb{"post", "post", false, true},
                            Verb{"delete", "deletecollection", false, false},
                            Verb{"get", "get", true, false},
                            Verb{"put", "put", true, true},
                            Verb{"patch", "patch", true, true},
                            Verb{"delete", "delete", true, false}};

doc::Object operation(const Kind& kind, const Verb& verb) {
  doc::Array parameters;
  if (verb.writes) {
    for (const char* name : {"dryRun", "fieldManager", "fieldValidation"})
      parameters.push_back(parameter(name, "string"));
    if (std::string_view(verb.method) == "patch") parameters.push_back(parameter("force", "boolean"));
  }
  doc::Object content{{"schema", doc::Object{{"$ref", fmt::format("{}{}", kReference, kind.type_name)}}}};
  return {{"x-kubernetes-action", verb.action},
          {kGroupVersionKind, group_version_kind(kind)},
          {"parameters", std::move(parameters)},
          {"responses",
           doc::Object{{"200", doc::Object{{"description", "OK"},
                                           {"content", doc::Object{{"application/json", std::move(content)}}}}}}}};
}

void add_paths(const Kind& kind, doc::Object& paths) {
  const cluster::Resource& resource = *kind.resource;
  const std::string root = "/" + openapi_path(resource.group, kind.version) + "/";
  const std::string base =
      fmt::format("{}{}{}", root, resource.namespaced ? "namespaces/{namespace}/" : "", resource.plural);
  for (const Verb& verb : kVerbs) {
    doc::Value& path = paths[verb.item ? base + "/{name}" : base];
    if (!path.is_object()) path.emplace_object();
    path.get_object()[verb.method] = operation(kind, verb);
  }
  if (resource.namespaced) {
    paths[fmt::format("{}{}", root, resource.plural)] = doc::Object{{"get", operation(kind, kVerbs[0])}};
  }
}

/// How a kind's objects are patched: kubectl before 1.27 asks here whether the server knows dry runs.
void add_patch_path(const Kind& kind, doc::Object& paths) {
  const cluster::Resource& resource = *kind.resource;
  doc::Array parameters;
  for (const char* name : {"dryRun", "fieldManager", "fieldValidation", "force"}) {
    const bool is_flag = name == std::string_view("force");
    parameters.push_back(
        doc::Object{{"name", name}, {"in", "query"}, {"type", is_flag ? "boolean" : "string"}, {"uniqueItems", true}});
  }
  const std::string path = fmt::format("/{}/{}{}/{{name}}", openapi_path(resource.group, kind.version),
                                       resource.namespaced ? "namespaces/{namespace}/" : "", resource.plural);
  paths[path] = doc::Object{{"patch", doc::Object{{"parameters", std::move(parameters)},
                                                  {"x-kubernetes-action", "patch"},
                                                  {kGroupVersionKind, group_version_kind(kind)}}}};
}

}  // namespace

std::string openapi_path(std::string_view group, std::string_view version) {
  return group.empty() ? fmt::format("api/{}", version) : fmt::format("apis/{}/{}", group, version);
}

doc::Value openapi_v3_index(const Kinds& kinds) {
  doc::Object paths;
  for (const Kinds::Group& group : kinds.groups()) {
    for (const std::string_view version : group.versions) {
      const std::string path = openapi_path(group.name, version);
      paths[path] = doc::Object{{"serverRelativeURL", "/openapi/v3/" + path}};
    }
  }
  return doc::Object{{"paths", std::move(paths)}};
}

doc::Value openapi_v3(const Kinds& kinds, std::string_view path) {
  std::vector<std::string> names{fmt::format("{}.DeleteOptions", kMeta), fmt::format("{}.Status", kMeta)};
  doc::Object paths;
  for (const KindPtr& one : kinds.all()) {
    const Kind& kind = *one;
    if (openapi_path(kind.resource->group, kind.version) != path) continue;
    names.push_back(kind.type_name);
    add_paths(kind, paths);
  }
  if (paths.empty()) return nullptr;
  doc::Object schemas = with_references(kinds, std::move(names), Form::kV3);
  for (const KindPtr& one : kinds.all()) {
    const Kind& kind = *one;
    if (doc::Value* schema = schemas.if_contains(kind.type_name)) {
      schema->get_object()[kGroupVersionKind] = doc::Array{group_version_kind(kind)};
    }
  }
  return doc::Object{{"openapi", "3.0.0"},
                     {"info", doc::Object{{"title", "Kubernetes"}, {"version", "unversioned"}}},
                     {"paths", std::move(paths)},
                     {"components", doc::Object{{"schemas", std::move(schemas)}}}};
}

doc::Value openapi_v2(const Kinds& kinds) {
  std::vector<std::string> names;
  for (const KindPtr& kind : kinds.all()) names.push_back(kind->type_name);
  doc::Object definitions = with_references(kinds, std::move(names), Form::kV2);
  doc::Object paths;
  for (const KindPtr& kind : kinds.all()) {
    if (kind->may("patch")) add_patch_path(*kind, paths);
  }
  for (const KindPtr& one : kinds.all()) {
    const Kind& kind = *one;
    if (doc::Value* schema = definitions.if_contains(kind.type_name)) {
      schema->get_object()[kGroupVersionKind] = doc::Array{group_version_kind(kind)};
    }
  }
  // References of v2 lead elsewhere.
  const std::function<void(doc::Value&)> move_references = [&](doc::Value& value) {
    if (doc::Object* object = value.if_object()) {
      for (auto& [key, member] : *object) {
        if (key == "$ref" && member.is_string() && std::string_view(member.get_string()).starts_with(kReference)) {
          const std::string name(std::string_view(member.get_string()).substr(kReference.size()));
          member = "#/definitions/" + name;
        } else {
          move_references(member);
        }
      }
    } else if (doc::Array* list = value.if_array()) {
      for (doc::Value& one : *list) move_references(one);
    }
  };
  doc::Value all(std::move(definitions));
  move_references(all);
  return doc::Object{{"swagger", "2.0"},
                     {"info", doc::Object{{"title", "Kubernetes"}, {"version", "unversioned"}}},
                     {"paths", std::move(paths)},
                     {"definitions", std::move(all)}};
}

}  // namespace tiphys::objects
