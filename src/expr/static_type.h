// What is known of a value's type before an expression is evaluated: what expr-lang's checker knows.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "doc/value.h"

namespace tiphys::expr {

struct Tree;

enum class StaticKind : std::uint8_t {
  kUnknown,  ///< any type
  kNil,
  kBool,
  kInt,
  kFloat,
  kString,
  kArray,
  kMap,
  kAnyMap,  ///< with keys of any type, which groupBy makes
  kTime,
  kDuration,
  kBytes,
  kLocation,
  kMonth,
  kWeekday,
  kVersion,
  kFunction,
  kMissing,  ///< of a variable: the scope does not know it
};

StaticKind static_kind(const doc::Value& value);

/// The nearest known name, as did_you_mean.
using SuggestName = std::function<std::string(std::string_view)>;

/// Finds unknown names, and operators, members and calls whose operands cannot fit, though they might never be
/// evaluated. `roots` has the kinds of the first parts of `tree.variables`, in their order. An error has the place and
/// a caret; the source of the rules is checker/checker.go.
Status check_types(const Tree& tree, std::span<const StaticKind> roots, const SuggestName& suggest);

}  // namespace tiphys::expr
