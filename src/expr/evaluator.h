// Evaluates syntax trees.
#pragma once

#include "base/error.h"
#include "doc/value.h"
#include "expr/ast.h"
#include "expr/scope.h"
#include "expr/trace.h"

namespace tiphys::expr {

/// The value of a tree in a scope. An error has the place and a caret. The steps taken and the values made are bounded.
Result<doc::Value> evaluate(const Tree& tree, const Scope& scope, const Trace& trace);

}  // namespace tiphys::expr
