// Kinds that a CustomResourceDefinition brings.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "objects/kinds.h"
#include "objects/scale.h"
#include "objects/table.h"
#include "schema/field_error.h"
#include "schema/kubernetes.h"

namespace tiphys::objects {

/// One version of a definition, and what its Kind points into.
struct CustomVersion {
  doc::Value schema;  ///< OpenAPI, with what every object has
  schema::Types types{&schema::kubernetes_types()};
  const schema::Type* type = nullptr;
  const schema::Type* metadata = nullptr;  ///< what the definition demands of metadata.name; null: nothing
  /// In which objects are stored; null: in this one.
  std::shared_ptr<const CustomVersion> stored;
  std::string deprecation{};  ///< what whoever asks for it is warned of; "": nothing
  bool scaled = false;        ///< has the subresource /scale
  ScalePaths scale;
  std::deque<std::string> texts;  ///< of the columns
  std::vector<Column> columns;
};

/// What whoever asks for objects of a kind is warned of; "": nothing.
std::string_view deprecation_of(const Kind& kind);
/// Where a kind's objects have what their Scale tells.
const ScalePaths& scale_paths(const Kind& kind);

/// The served versions of a definition that check_definition has nothing against, the preferred one first.
std::vector<KindPtr> make_custom_kinds(const doc::Value& definition);

void fill_definition(doc::Object& definition);
void check_definition(const doc::Value& definition, schema::FieldErrors& errors);
void check_definition_update(const doc::Value& before, const doc::Value& after, schema::FieldErrors& errors);

}  // namespace tiphys::objects
