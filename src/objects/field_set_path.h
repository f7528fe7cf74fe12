// One step on the way to a field of an object, as server-side apply tells fields apart
// (sigs.k8s.io/structured-merge-diff, fieldpath.PathElement).
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "doc/value.h"

namespace tiphys::objects {

/// An order over all values. Numbers by what they count, whole or not; members of objects whatever their order.
std::strong_ordering compare_values(const doc::Value& left, const doc::Value& right);
/// Equal in that order.
bool same_value(const doc::Value& left, const doc::Value& right);

class PathElement {
 public:
  /// In their order: a field of an object; an element of a list by its key fields, by its value, by its place.
  enum class Kind { kField, kKey, kValue, kIndex };

  static PathElement field(std::string_view name) { return {Kind::kField, doc::Value(name)}; }
  /// By key fields, in any order.
  static PathElement key(doc::Object fields);
  static PathElement value(doc::Value value) { return {Kind::kValue, std::move(value)}; }
  static PathElement index(std::int64_t at) { return {Kind::kIndex, doc::Value(at)}; }

  /// What a member of FieldsV1 is named for it: `f:spec`, `k:{"name":"main"}`, `v:"x"`, `i:0`.
  std::string fields_name() const;
  /// The other way. nullopt: of a kind that is not known, which is to be passed over.
  static Result<std::optional<PathElement>> parse(std::string_view fields_name);

  /// As messages write it: `.spec`, `[name="main"]`, `[="x"]`, `[0]`.
  std::string text() const;

  Kind kind() const { return kind_; }
  /// Of a field.
  std::string_view name() const { return std::string_view(what_.get_string()); }

  std::strong_ordering operator<=>(const PathElement& other) const;
  bool operator==(const PathElement& other) const { return (*this <=> other) == 0; }

 private:
  PathElement(Kind kind, doc::Value what) : kind_(kind), what_(std::move(what)) {}

  Kind kind_;
  doc::Value what_;  ///< the name, the key fields by name, the value, the place
};

/// As Go's %q writes a text: in quotes, with escapes for what ASCII cannot print.
void append_quoted(std::string& out, std::string_view text);

}  // namespace tiphys::objects
