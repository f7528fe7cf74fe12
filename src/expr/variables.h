// A scope's dotted names as expressions see them: nested maps.
#pragma once

#include <boost/container/small_vector.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "doc/value.h"
#include "expr/ast.h"
#include "expr/scope.h"
#include "expr/static_type.h"

namespace tiphys::expr {

/// What a scope has for a variable of a tree.
struct FoundVariable {
  Scope::Found whole;  ///< under its whole name
  StaticKind root{};   ///< the kind of its first part, as the checker knows it
};
/// In the order of Tree::variables.
using FoundVariables = boost::container::small_vector<FoundVariable, 8>;

FoundVariables find_variables(const Tree& tree, const Scope& scope);

/// The longest start of a path that the scope knows.
struct Variable {
  std::size_t length = 0;  ///< parts of the path that it stands for; 0 when even the first is unknown
  /// What stands there: a value of the scope, a text, or a map put together from the names below. With a length short
  /// of the path, a null pointer says that there is a map without the next part.
  std::variant<const doc::Value*, const std::string*, doc::Value> found;
};

/// `names` are the path's dotted names, shortest first: "a", "a.b", "a.b.c".
Variable find_variable(const Scope& scope, const std::vector<std::string>& names);

/// The names below `prefix` as a map of maps; all names when it is "". A name that has others below it gives way to
/// them.
doc::Value variables_below(const Scope& scope, std::string_view prefix);

/// The nearest name, as did_you_mean.
std::string suggest_variable(const Scope& scope, std::string_view name);

}  // namespace tiphys::expr
