// Tables of expressions and their results, for tests.
#pragma once

#include <gtest/gtest.h>

#include <span>

#include "doc/value.h"
#include "expr/condition.h"
#include "expr/expression.h"
#include "expr/go_json.h"

namespace tiphys::expr {

/// The result as JSON, "text: " and a string, or "error: " and the message's first line.
struct ExpressionRow {
  const char* text;
  const char* result;
};

inline Scope expression_test_scope() {
  Scope scope;
  scope.set("num", "1");
  scope.set("flag", "true");
  scope.set("inputs.parameters.num", "1");
  scope.set("inputs.parameters.my-param", "p");
  scope.set("inputs.parameters", "[{}]");
  scope.set("inputs.parameters.json",
            R"({"list": [{"name": "a", "n": 1}, {"name": "b", "n": 2}], "obj": {"k": "v"}, "b": true})");
  scope.set("steps.flip-coin.outputs.result", "heads");
  scope.set("steps.a.outputs.result", "res");
  scope.set("workflow.status", "Succeeded");
  scope.set("workflow.parameters", "[x]");
  scope.set("workflow.parameters.a", "A");
  scope.set("workflow.parameters.b.c", "C");
  scope.set_value("tasks.t.outputs.parameters.p", nullptr);
  scope.set_value("item", {{"x", "v"}, {"y", 5}, {"list", {1, 2, 3}}, {"obj", {{"k", {{"v", "deep"}}}}}});
  return scope;
}

inline void check_expressions(std::span<const ExpressionRow> rows) {
  const Scope scope = expression_test_scope();
  for (const auto& [text, wanted] : rows) {
    const auto result = eval_expression(text, scope);
    std::string got;
    if (!result) {
      got = "error: " + result.error().message.substr(0, result.error().message.find('\n'));
    } else if (result->is_string()) {
      got = "text: " + std::string(result->get_string());
    } else {
      append_go_json(*result, got);
    }
    EXPECT_EQ(got, wanted) << text;
  }
}

}  // namespace tiphys::expr
