#include "objects/argo_schemas.h"

#include <fmt/format.h>

#include "api/kinds.h"
#include "schema/kubernetes.h"

namespace tiphys::objects {
namespace {

constexpr const char* kKeepsUnknown = "x-kubernetes-preserve-unknown-fields";
constexpr std::string_view kObjectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

doc::Object reference(std::string_view name) {
  return {{"$ref", fmt::format("#/components/schemas/{}", name)}};
}

doc::Object object_schema(const api::Shape& shape) {
  if (shape.fields) return reference(argo_schema_name(shape.fields->name()));
  if (shape.kubernetes) {
    const std::string name = schema::kubernetes_type_name("v1", shape.kubernetes);
    if (schema::kubernetes_schemas().contains(name)) return reference(name);
  }
  return {{"type", "object"}, {kKeepsUnknown, true}};
}

doc::Object value_schema(const api::Shape& shape) {
  switch (shape.type) {
    case api::Shape::Type::kString:
      return {{"type", "string"}};
    case api::Shape::Type::kBoolean:
      return {{"type", "boolean"}};
    case api::Shape::Type::kInteger:
      return {{"type", "integer"}};
    case api::Shape::Type::kNumber:
      return {{"type", "number"}};
    case api::Shape::Type::kIntOrString:
      return {{"format", "int-or-string"}, {"x-kubernetes-int-or-string", true}};
    case api::Shape::Type::kObject:
      return object_schema(shape);
    case api::Shape::Type::kAny:
    case api::Shape::Type::kText:
      break;
  }
  return {{kKeepsUnknown, true}};
}

doc::Object field_schema(const api::FieldInfo& field) {
  const api::Shape& shape = *field.shape;
  doc::Object value = value_schema(shape);
  if (shape.around == api::Shape::Around::kList) value = {{"type", "array"}, {"items", std::move(value)}};
  if (shape.around == api::Shape::Around::kMap)
    value = {{"type", "object"}, {"additionalProperties", std::move(value)}};
  // A bare step is taken as a group of one.
  if (shape.around == api::Shape::Around::kListOfLists) {
    value = {{"type", "array"}, {"items", doc::Object{{kKeepsUnknown, true}}}};
  }
  if (value.contains("$ref")) value = {{"allOf", doc::Array{std::move(value)}}};
  value["description"] = field.about;
  return value;
}

doc::Object table_schema(const api::FieldTable& table) {
  doc::Object properties;
  for (std::size_t i = 0; i < table.size(); ++i) properties[table[i].name] = field_schema(table[i]);
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

/// A kind's own schema: its table without what every object has, with what the plane writes.
doc::Object kind_schema(const api::Kind& kind) {
  doc::Object schema = table_schema(*kind.fields);
  schema["description"] = kind.about;
  doc::Object& properties = schema["properties"].as_object();
  properties["apiVersion"] = doc::Object{{"type", "string"}};
  properties["kind"] = doc::Object{{"type", "string"}};
  properties["metadata"] = reference(kObjectMeta);
  properties["status"] = doc::Object{{"type", "object"}, {kKeepsUnknown, true}};
  return schema;
}

}  // namespace

std::string argo_schema_name(std::string_view table) {
  return fmt::format("io.argoproj.workflow.v1alpha1.{}", table);
}

doc::Object make_argo_schemas() {
  doc::Object schemas;
  for (const api::FieldTable* table : api::all_tables())
    schemas[argo_schema_name(table->name())] = table_schema(*table);
  for (const api::Kind& kind : api::kinds()) schemas[argo_schema_name(kind.name)] = kind_schema(kind);
  return schemas;
}

}  // namespace tiphys::objects
