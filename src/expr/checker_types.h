// The types that expr-lang's checker tells apart, and what operators make of them.
#pragma once

#include <optional>
#include <string>

#include "expr/ast.h"
#include "expr/static_type.h"

namespace tiphys::expr {

/// Of arrays whose elements have one type it knows that, too.
struct Type {
  StaticKind kind = StaticKind::kUnknown;
  const Type* element = nullptr;
  bool typed = false;  ///< the element's type is the Go slice's own: functions know of it, too

  bool is(StaticKind wanted) const { return kind == wanted; }
  bool unknown() const { return kind == StaticKind::kUnknown; }
  bool map() const { return kind == StaticKind::kMap || kind == StaticKind::kAnyMap; }
  bool array() const { return kind == StaticKind::kArray || kind == StaticKind::kBytes; }
  bool integer() const { return kind == StaticKind::kInt; }
  /// Types of Go whose values are integers.
  bool of_integer() const {
    return kind == StaticKind::kDuration || kind == StaticKind::kMonth || kind == StaticKind::kWeekday;
  }
  bool number() const { return integer() || kind == StaticKind::kFloat; }
};

/// Go's name for it; "unknown" for nil, too.
std::string name_of(const Type& type);
bool assignable(const Type& type, const Type& to);
bool comparable(const Type& left, const Type& right);

/// The type of an operation; nullopt when the operator does not take such operands. Not for `in`.
std::optional<Type> binary_type(Op op, const Type& left, const Type& right);

}  // namespace tiphys::expr
