// The conditions of manifests. Each is compiled once where its text is constant.
#pragma once

#include <string>
#include <string_view>

#include "doc/value.h"
#include "expr/expression.h"
#include "expr/scope.h"

namespace tiphys::expr {

/// What a bare word in `when` is: a string in steps and tasks; in cron workflows a variable, and none has a value.
enum class WhenWords { kStrings, kVariables };

/// `when` of a step or task, after substitution, in the language of Knetic/govaluate. Must give a boolean; else an
/// error in the original's words: "Invalid 'when' expression '...': ...".
Result<bool> eval_when(std::string_view text, WhenWords words = WhenWords::kStrings);

/// An expr-lang expression (github.com/expr-lang/expr) that must give a boolean: depends, retryStrategy.expression.
Result<bool> eval_bool_expression(std::string_view text, const Scope& scope, Functions functions = Functions::kArgo);
/// An expr-lang expression with any result; strings stay strings.
Result<doc::Value> eval_expression(std::string_view text, const Scope& scope);

/// How several requirements go together: all must hold for a success, any one makes a failure.
enum class Join { kAll, kAny };

/// successCondition and failureCondition of resource templates: a label selector (k8s.io/apimachinery/pkg/labels),
/// whose keys are read as gjson paths: "status.succeeded > 0", "status.phase in (Done, Ready)", several joined by
/// commas. Keys and values must be valid for labels, so there are no quotes, signs, wildcards and escapes.
Result<bool> eval_resource_condition(std::string_view text, const doc::Value& object, Join join = Join::kAll);

}  // namespace tiphys::expr
