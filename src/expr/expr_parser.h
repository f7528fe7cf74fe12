// From text to syntax tree.
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "expr/ast.h"

namespace tiphys::expr {

/// Parses an expr-lang expression. An error has the place, a caret and what was expected.
Result<std::unique_ptr<const Tree>> parse_expression(std::string_view text);

/// What is done once for all evaluations: arithmetic of literals, arrays of them, the names to look up.
void prepare(Tree& tree);

}  // namespace tiphys::expr
