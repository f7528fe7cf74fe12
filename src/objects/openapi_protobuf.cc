#include "objects/openapi_protobuf.h"

#include "base/protobuf_wire.h"

namespace tiphys::objects {
namespace {

/// Texts and messages.
void put(std::string& out, unsigned field, std::string_view bytes) {
  WireWriter(out).bytes(field, bytes);
}

void put_text(std::string& out, unsigned field, const doc::Value& schema, std::string_view name) {
  if (const auto text = doc::find_string(schema, name); !text.empty()) put(out, field, text);
}

void put_texts(std::string& out, unsigned field, const doc::Value& list) {
  if (!list.is_array()) return;
  for (const doc::Value& text : list.get_array()) put(out, field, doc::scalar_text(text));
}

/// Any {yaml}: JSON is YAML.
std::string any(const doc::Value& value) {
  std::string made;
  put(made, 2, doc::to_json(value));
  return made;
}

/// Vendor extensions, as NamedAny.
void put_extensions(std::string& out, unsigned field, const doc::Value& object) {
  if (!object.is_object()) return;
  for (const auto& [name, value] : object.get_object()) {
    if (!std::string_view(name).starts_with("x-")) continue;
    std::string extension;
    put(extension, 1, name);
    put(extension, 2, any(value));
    put(out, field, extension);
  }
}

std::string schema_message(const doc::Value& schema);

/// NamedSchema
std::string named(std::string_view name, const doc::Value& schema) {
  std::string made;
  put(made, 1, name);
  put(made, 2, schema_message(schema));
  return made;
}

/// Definitions and Properties look alike.
std::string named_schemas(const doc::Value& schemas) {
  std::string made;
  if (!schemas.is_object()) return made;
  for (const auto& [name, schema] : schemas.get_object()) put(made, 1, named(name, schema));
  return made;
}

/// That of a schema which only refers to another one, by itself or as the one of allOf.
std::string_view reference_of(const doc::Value& schema) {
  if (const auto reference = doc::find_string(schema, "$ref"); !reference.empty()) return reference;
  const doc::Value* all = doc::find(schema, "allOf");
  const bool one = all && all->is_array() && all->get_array().size() == 1;
  return one ? doc::find_string(all->get_array()[0], "$ref") : std::string_view();
}

void put_children(std::string& out, const doc::Value& schema) {
  if (const doc::Value* more = doc::find(schema, "additionalProperties"); more && more->is_object()) {
    std::string item;
    put(item, 1, schema_message(*more));
    put(out, 21, item);
  }
  if (const auto type = doc::find_string(schema, "type"); !type.empty()) {
    std::string item;
    put(item, 1, type);
    put(out, 22, item);
  }
  if (const doc::Value* items = doc::find(schema, "items"); items && items->is_object()) {
    std::string item;
    put(item, 1, schema_message(*items));
    put(out, 23, item);
  }
  if (const doc::Value* properties = doc::find(schema, "properties")) put(out, 25, named_schemas(*properties));
}

std::string schema_message(const doc::Value& schema) {
  std::string made;
  if (const auto reference = reference_of(schema); !reference.empty()) {
    put(made, 1, reference);
    put_text(made, 4, schema, "description");
    return made;
  }
  put_text(made, 2, schema, "format");
  put_text(made, 4, schema, "description");
  if (const doc::Value* required = doc::find(schema, "required")) put_texts(made, 19, *required);
  put_children(made, schema);
  put_extensions(made, 31, schema);
  return made;
}

/// A message whose one field is another message.
std::string one_of(unsigned field, const std::string& inner) {
  std::string made;
  put(made, field, inner);
  return made;
}

/// ParametersItem of a parameter of the query.
std::string parameter(const doc::Value& given) {
  constexpr unsigned kNonBody = 2, kQuery = 3;
  std::string made;
  put_text(made, 2, given, "in");
  put_text(made, 4, given, "name");
  put_text(made, 6, given, "type");
  return one_of(1, one_of(kNonBody, one_of(kQuery, made)));
}

/// Paths with their operation `patch`.
std::string paths_message(const doc::Value& paths) {
  constexpr unsigned kPatch = 8, kParameters = 8, kExtensions = 13;
  std::string all;
  if (!paths.is_object()) return all;
  for (const auto& [path, item] : paths.get_object()) {
    const doc::Value* patch = doc::find(item, "patch");
    if (!patch) continue;
    std::string operation, named;
    const doc::Value* parameters = doc::find(*patch, "parameters");
    if (parameters && parameters->is_array()) {
      for (const doc::Value& one : parameters->get_array()) put(operation, kParameters, parameter(one));
    }
    put_extensions(operation, kExtensions, *patch);
    put(named, 1, path);
    put(named, 2, one_of(kPatch, operation));
    put(all, 2, named);
  }
  return all;
}

}  // namespace

std::string openapi_protobuf(const doc::Value& document) {
  std::string made, info;
  put_text(made, 1, document, "swagger");
  if (const doc::Value* found = doc::find(document, "info")) {
    put_text(info, 1, *found, "title");
    put_text(info, 2, *found, "version");
  }
  put(made, 2, info);
  const doc::Value* paths = doc::find(document, "paths");
  put(made, 8, paths ? paths_message(*paths) : "");
  if (const doc::Value* definitions = doc::find(document, "definitions")) put(made, 9, named_schemas(*definitions));
  return made;
}

}  // namespace tiphys::objects
