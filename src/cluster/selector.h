// Label and field selectors (k8s.io/apimachinery/pkg/labels, fields).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"

namespace tiphys::cluster {

struct Requirement {
  enum class Op { kEquals, kNotEquals, kIn, kNotIn, kExists, kNotExists, kGreater, kLess };
  std::string key;
  Op op = Op::kExists;
  std::vector<std::string> values;
};

/// A conjunction of requirements; empty matches everything.
class Selector {
 public:
  /// "a=b,c!=d,e in (f,g),h,!i,j>3". An error names the place.
  static Result<Selector> parse(std::string_view text);
  /// `metadata.name=x` style; only =, == and != are allowed.
  static Result<Selector> parse_fields(std::string_view text);

  /// Of a LabelSelector object: matchLabels and matchExpressions. kInvalidArgument names an operator that there is not.
  static Result<Selector> from_label_selector(const doc::Value& selector);

  bool empty() const { return requirements_.empty(); }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  /// Against metadata.labels of an object.
  bool matches_labels(const doc::Value& object) const;
  /// Against a map of labels; nullptr is an empty one.
  bool matches_label_map(const doc::Value* labels) const;
  /// The same requirements on other keys.
  Selector renamed(const std::function<std::string_view(std::string_view)>& key_of) const;
  /// Against the object's fields at dotted paths; of paths with '|' between, the first that is not empty counts.
  bool matches_fields(const doc::Value& object) const;

 private:
  std::vector<Requirement> requirements_;
};

}  // namespace tiphys::cluster
