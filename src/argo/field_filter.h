// Which fields of an answer a caller wants: "metadata.name,status.phase", or "-status.nodes" for all but these.
// Original: util/fields/fields.go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"

namespace tiphys::argo {

class FieldFilter {
 public:
  /// "" wants all. `prefix` is taken off where fields begin with it.
  explicit FieldFilter(std::string_view text, std::string_view prefix = "");

  bool wants_all() const { return fields_.empty(); }
  /// Nothing at or below this path is wanted: it need not be read.
  bool leaves_out(std::string_view path) const;
  /// Lists are transparent: "items.metadata" is of each item. `path` is where the value stands in the whole.
  void apply(doc::Value& value, const std::string& path = "") const;
  /// A copy of an object with what is wanted of it. As Go writes them, its structs are there, if empty.
  doc::Value of_object(const doc::Value& object, const std::string& path = "") const;

 private:
  bool keeps(std::string_view path, bool& whole) const;

  bool excludes_ = false;
  std::vector<std::string> fields_;
};

}  // namespace tiphys::argo
