// expr-lang (github.com/expr-lang/expr 1.17), compiled once and evaluated many times.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "doc/value.h"
#include "expr/scope.h"
#include "expr/trace.h"

namespace tiphys::expr {

/// What an expression may call: in some fields the original knows expr-lang's own functions alone, without asInt,
/// asFloat, jsonpath, toJson and sprig.*.
enum class Functions { kArgo, kExprLang };

/// Immutable and cheap to share. Lengths, nesting, steps of an evaluation and the memory it makes are bounded; what
/// goes beyond is an error.
class Expression {
 public:
  /// An error has the expression's line, column and a caret under the place.
  static Result<Expression> compile(std::string_view text, Functions functions = Functions::kArgo);

  /// The variables read, at their full paths ("inputs.parameters.message"), in order of appearance.
  const std::vector<std::string>& references() const;
  /// The names that must be known for the expression to have all it needs: each variable, and each member path but for
  /// those that `??` or `?.` guard.
  const std::vector<std::string>& required() const;

  /// Variables are those of the scope, dotted names read as nested maps, and Argo's functions (asInt, asFloat,
  /// jsonpath, toJson, sprig.*).
  Result<doc::Value> eval(const Scope& scope, const Trace& trace = {}) const;
  /// The same of a condition: an error when it gives no boolean.
  Result<bool> eval_bool(const Scope& scope) const;

 private:
  struct Program;
  std::shared_ptr<const Program> program_;
};

/// True when an expression that names `name` finds it: exactly this name, a name below it, or a member of a value.
bool knows(const Scope& scope, std::string_view name);

}  // namespace tiphys::expr
