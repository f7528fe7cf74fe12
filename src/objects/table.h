// Lists as tables for people, which `kubectl get` asks for: meta.k8s.io/v1 Table.
#pragma once

#include <span>

#include "base/time.h"
#include "cluster/resource.h"
#include "doc/value.h"

namespace tiphys::objects {

struct Column {
  std::string_view name;
  std::string_view type;  ///< "string", "integer", "boolean", "date"
  int priority;           ///< 0: always shown; 1: with -o wide
  std::string_view about;
  /// Null: the cell is what the JSONPath below gives.
  doc::Value (*cell)(const doc::Value& object, Time now) = nullptr;
  std::string_view path = {};  ///< ".spec.replicas"
  std::string_view format = {};
};

/// Those of a kind; name and age for one that has no own.
std::span<const Column> columns_of(const cluster::Resource& resource);

/// What of each object comes along in its row.
enum class RowObject { kNone, kMetadata, kObject };

doc::Object table_row(std::span<const Column> columns, const doc::Value& object, RowObject row_object, Time now);
/// The definitions of the columns.
doc::Array table_head(std::span<const Column> columns);
/// PartialObjectMetadata of an object.
doc::Object partial_object(const doc::Value& object);

}  // namespace tiphys::objects
