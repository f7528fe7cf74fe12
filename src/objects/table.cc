#include "objects/table.h"

#include <array>

#include "objects/columns.h"

namespace tiphys::objects {
namespace {

constexpr std::array kPlain{kNameColumn, kAgeColumn};

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
  for (const Column& column : columns) cells.push_back(column.cell(object, now));
  doc::Object row{{"cells", std::move(cells)}};
  if (row_object == RowObject::kMetadata) row["object"] = partial_object(object);
  if (row_object == RowObject::kObject) row["object"] = object;
  if (row_object == RowObject::kNone) row["object"] = nullptr;
  return row;
}

doc::Array table_head(std::span<const Column> columns) {
  doc::Array head;
  for (const Column& column : columns) {
    const bool names = std::string_view(column.name) == "Name";
    head.push_back(doc::Object{{"name", column.name},
                               {"type", column.type},
                               {"format", names ? "name" : ""},
                               {"description", column.about},
                               {"priority", column.priority}});
  }
  return head;
}

}  // namespace tiphys::objects
