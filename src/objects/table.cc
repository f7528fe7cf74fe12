#include "objects/table.h"

#include <fmt/format.h>

#include <array>

#include "doc/jsonpath.h"
#include "objects/columns.h"
#include "objects/human_duration.h"

namespace tiphys::objects {
namespace {

constexpr std::array kPlain{kNameColumn, kAgeColumn};

/// What a column's path leads to, as its type has it.
doc::Value cell_at(const Column& column, const doc::Value& object, Time now) {
  const auto text = doc::eval_jsonpath(fmt::format("{{{}}}", column.path), object, true);
  if (!text || text->empty()) return nullptr;
  if (column.type == "date") return doc::Value(age_since(*text, now));
  if (column.type == "string") return doc::Value(*text);
  const auto value = doc::parse_json(*text);
  return value && (value->is_number() || value->is_bool()) ? *value : doc::Value();
}

}  // namespace

std::span<const Column> columns_of(const cluster::Resource& resource) {
  const std::span<const Column> own = own_columns(resource);
  return own.empty() ? std::span<const Column>(kPlain) : own;
}

doc::Object partial_object(const doc::Value& object) {
  const doc::Value* metadata = doc::find(object, "metadata");
  return {{"kind", "PartialObjectMetadata"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", metadata ? *metadata : doc::Value(doc::Object())}};
}

doc::Object table_row(std::span<const Column> columns, const doc::Value& object, RowObject row_object, Time now) {
  doc::Array cells;
  for (const Column& column : columns)
    cells.push_back(column.cell ? column.cell(object, now) : cell_at(column, object, now));
  doc::Object row{{"cells", std::move(cells)}};
  if (row_object == RowObject::kMetadata) row["object"] = partial_object(object);
  if (row_object == RowObject::kObject) row["object"] = object;
  if (row_object == RowObject::kNone) row["object"] = nullptr;
  return row;
}

doc::Array table_head(std::span<const Column> columns) {
  doc::Array head;
  for (const Column& column : columns) {
    head.push_back(doc::Object{{"name", column.name},
                               {"type", column.type},
                               {"format", column.name == "Name" ? "name" : column.format},
                               {"description", column.about},
                               {"priority", column.priority}});
  }
  return head;
}

}  // namespace tiphys::objects
