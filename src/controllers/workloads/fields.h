// Members of documents where a controller reads many.
#pragma once

#include <optional>

#include "base/time.h"
#include "cluster/cluster.h"
#include "doc/value.h"

namespace tiphys::controllers::workloads {

template <typename... Keys>
std::optional<std::int64_t> number_at(const doc::Value& object, const Keys&... path) {
  const doc::Value* found = doc::find(object, std::string_view(path)...);
  return found && found->is_int64() ? std::optional(found->get_int64()) : std::nullopt;
}

template <typename... Keys>
bool is_true_at(const doc::Value& object, const Keys&... path) {
  const doc::Value* found = doc::find(object, std::string_view(path)...);
  return found && found->is_bool() && found->get_bool();
}

/// An empty list where there is none.
template <typename... Keys>
const doc::Array& list_at(const doc::Value& object, const Keys&... path) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(object, std::string_view(path)...);
  return found && found->is_array() ? found->get_array() : kNone;
}

/// null where there is nothing.
template <typename... Keys>
const doc::Value& value_at(const doc::Value& object, const Keys&... path) {
  static const doc::Value kNull;
  const doc::Value* found = doc::find(object, std::string_view(path)...);
  return found ? *found : kNull;
}

template <typename... Keys>
std::optional<Time> time_at(const doc::Value& object, const Keys&... path) {
  const auto time = parse_rfc3339(doc::find_string(object, path...));
  return time ? std::optional(*time) : std::nullopt;
}

inline std::string name_of(const doc::Value& object) {
  return std::string(doc::find_string(object, "metadata", "name"));
}
inline std::string namespace_of(const doc::Value& object) {
  return std::string(doc::find_string(object, "metadata", "namespace"));
}
inline std::string uid_of(const doc::Value& object) {
  return std::string(doc::find_string(object, "metadata", "uid"));
}
inline bool is_deleting(const doc::Value& object) {
  return !doc::find_string(object, "metadata", "deletionTimestamp").empty();
}
inline cluster::Key key_of(const cluster::Resource& resource, const doc::Value& object) {
  return {&resource, namespace_of(object), name_of(object)};
}

}  // namespace tiphys::controllers::workloads
