#include "api/json_schema.h"

#include <fmt/format.h>

#include "api/kinds.h"

namespace tiphys::api {
namespace {

doc::Object type(const char* name) {
  return {{"type", name}};
}

doc::Object reference(const FieldTable& table) {
  return {{"$ref", fmt::format("#/definitions/{}", table.name())}};
}

/// What one value is, whatever is around it.
doc::Object value_schema(const Shape& shape) {
  switch (shape.type) {
    case Shape::Type::kAny:
      return {};
    case Shape::Type::kText:
      return {{"type", doc::Array{"string", "number", "boolean"}}};
    case Shape::Type::kIntOrString:
      return {{"type", doc::Array{"string", "integer"}}};
    case Shape::Type::kBoolean:
      return type("boolean");
    case Shape::Type::kInteger:
      return type("integer");
    case Shape::Type::kNumber:
      return type("number");
    case Shape::Type::kObject:
      return shape.fields ? reference(*shape.fields) : type("object");
    case Shape::Type::kString:
      break;
  }
  doc::Object text = type("string");
  if (shape.choices.empty()) return text;
  // Suggested, not demanded: a tag may stand for one.
  doc::Array choices(shape.choices.begin(), shape.choices.end());
  return {{"anyOf", doc::Array{doc::Object{{"enum", std::move(choices)}},
                               doc::Object{{"type", "string"}, {"pattern", "\\{\\{"}}}}};
}

doc::Object field_schema(const Shape& shape) {
  doc::Object value = value_schema(shape);
  switch (shape.around) {
    case Shape::Around::kNothing:
      return value;
    case Shape::Around::kList:
      return {{"type", "array"}, {"items", std::move(value)}};
    case Shape::Around::kMap:
      return {{"type", "object"}, {"additionalProperties", std::move(value)}};
    case Shape::Around::kListOfLists:
      break;
  }
  doc::Object list{{"type", "array"}, {"items", value}};
  // A bare step is taken as a group of one.
  return {{"type", "array"}, {"items", doc::Object{{"anyOf", doc::Array{std::move(list), std::move(value)}}}}};
}

doc::Object property(const FieldInfo& field) {
  std::string about(field.about);
  if (field.handling == Handling::kLater) {
    about += " Not supported yet.";
    return {{"not", doc::Object()},
            {"description", about},
            {"errorMessage", fmt::format("{} is not supported yet", field.name)},
            {"doNotSuggest", true}};
  }
  if (field.handling == Handling::kCluster) about += " Only a cluster honours it.";
  if (!field.deviation.empty()) about += " " + std::string(field.deviation);
  if (field.shape->kubernetes) about += " See " + kubernetes_link(field.shape->kubernetes);
  doc::Object schema = field_schema(*field.shape);
  if (schema.contains("$ref")) {  // what stands beside a reference does not count
    return {{"allOf", doc::Array{std::move(schema)}}, {"description", about}};
  }
  schema["description"] = about;
  return schema;
}

doc::Object definition(const FieldTable& table) {
  doc::Object properties;
  for (std::size_t i = 0; i < table.size(); ++i) properties[table[i].name] = property(table[i]);
  return {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

}  // namespace

doc::Value json_schema() {
  doc::Object definitions;
  for (const FieldTable* table : all_tables()) definitions[table->name()] = definition(*table);
  doc::Array names, of_kind;
  for (const Kind& kind : kinds()) {
    names.emplace_back(kind.name);
    const doc::Object is_kind{{"properties", doc::Object{{"kind", doc::Object{{"const", kind.name}}}}}};
    of_kind.push_back(doc::Object{{"if", is_kind}, {"then", reference(*kind.fields)}});
  }
  return doc::Object{{"$schema", "http://json-schema.org/draft-07/schema#"},
                     {"title", "Argo Workflows, as tiphys takes them"},
                     {"type", "object"},
                     {"required", doc::Array{"apiVersion", "kind", "spec"}},
                     {"properties", doc::Object{{"apiVersion", doc::Object{{"const", kApiVersion}}},
                                                {"kind", doc::Object{{"enum", std::move(names)}}}}},
                     {"allOf", std::move(of_kind)},
                     {"definitions", std::move(definitions)}};
}

}  // namespace tiphys::api
