#include "expr/expression.h"

#include <algorithm>

#include "expr/condition.h"
#include "expr/evaluator.h"
#include "expr/expr_parser.h"
#include "expr/go_text.h"
#include "expr/position.h"

namespace tiphys::expr {

struct Expression::Program {
  std::unique_ptr<const Tree> tree;
  std::vector<std::string> references;
  std::vector<std::string> required;
};

namespace {

/// Collects the names that a tree uses. Argo calls a member path guarded, and does not require it, when it stands left
/// of a ?? or before a ?.; the variable itself is required nevertheless.
class NameCollector {
 public:
  NameCollector(std::vector<std::string>& references, std::vector<std::string>& required)
      : references_(references), required_(required) {}

  void visit(const Node& node, bool guarded) {
    if (node.kind == Node::Kind::kPath) {
      add(references_, node.names.back());
      const std::size_t count = guarded ? 1 : node.names.size();
      for (std::size_t i = 0; i < count; ++i) add(required_, node.names[i]);
      return;
    }
    if (node.kind == Node::Kind::kUndefined) add(required_, node.text);
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (!node.children[i]) continue;
      const bool coalesced = node.kind == Node::Kind::kBinary && node.op == Op::kCoalesce && i == 0;
      const Node& child = *node.children[i];
      if (node.kind == Node::Kind::kMember && node.optional && i == 0 && child.kind == Node::Kind::kPath && !guarded) {
        visit_before_optional(child);
      } else {
        visit(child, guarded || coalesced);
      }
    }
  }

 private:
  /// Of `a.b.c?.d` the path a.b.c is guarded, a.b is not.
  void visit_before_optional(const Node& path) {
    add(references_, path.names.back());
    for (std::size_t i = 0; i < std::max<std::size_t>(path.names.size() - 1, 1); ++i) add(required_, path.names[i]);
  }
  static void add(std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }

  std::vector<std::string>& references_;
  std::vector<std::string>& required_;
};

constexpr std::string_view kUnknownName = "unknown name ";

Status refuse_argos_functions(const Tree& tree) {
  constexpr std::string_view kArgos[] = {"asInt", "asFloat", "jsonpath", "toJson"};
  for (const Node& node : tree.nodes) {
    if (node.kind != Node::Kind::kCall) continue;
    const bool sprig = node.text.starts_with("sprig.");
    if (!sprig && std::ranges::find(kArgos, node.text) == std::end(kArgos)) continue;
    return fail(Code::kInvalidArgument,
                std::string(kUnknownName) + (sprig ? "sprig" : node.text) + caret(tree.text, node.offset));
  }
  return {};
}

Result<bool> as_bool(const doc::Value& value) {
  if (value.is_bool()) return value.get_bool();
  return fail(Code::kInvalidArgument, "unable to cast expression result '" + go_text(value) + "' to bool");
}

}  // namespace

Result<Expression> Expression::compile(std::string_view text, Functions functions) {
  auto program = std::make_shared<Program>();
  TIPHYS_TRY(program->tree, parse_expression(text));
  if (functions == Functions::kExprLang) TIPHYS_CHECK_OK(refuse_argos_functions(*program->tree));
  NameCollector(program->references, program->required).visit(*program->tree->root, false);
  Expression expression;
  expression.program_ = std::move(program);
  return expression;
}

const std::vector<std::string>& Expression::references() const {
  return program_->references;
}
const std::vector<std::string>& Expression::required() const {
  return program_->required;
}

Result<doc::Value> Expression::eval(const Scope& scope, const Trace& trace) const {
  return evaluate(*program_->tree, scope, trace);
}

Result<bool> Expression::eval_bool(const Scope& scope) const {
  const auto value = eval(scope);
  if (value) return as_bool(*value);
  const Error& error = value.error();
  // As the original: what its check finds, it tells as it is.
  if (error.message.starts_with(kUnknownName)) return std::unexpected(error);
  return std::unexpected(error.in("unable to evaluate expression '" + program_->tree->text + "'"));
}

bool knows(const Scope& scope, std::string_view name) {
  if (scope.text(name) || scope.value(name)) return true;
  for (std::size_t dot = name.rfind('.'); dot != std::string_view::npos && dot > 0; dot = name.rfind('.', dot - 1)) {
    const doc::Value* value = scope.value(name.substr(0, dot));
    if (!value) continue;
    for (std::string_view rest = name.substr(dot + 1); value; rest.remove_prefix(rest.find('.') + 1)) {
      const doc::Object* object = value->if_object();
      const auto end = rest.find('.');
      value = object ? object->if_contains(rest.substr(0, end)) : nullptr;
      if (end == std::string_view::npos) break;
    }
    if (value) return true;
  }
  return scope.has_below(name);
}

Result<doc::Value> eval_expression(std::string_view text, const Scope& scope) {
  TIPHYS_TRY(const Expression expression, Expression::compile(text));
  return expression.eval(scope);
}

Result<bool> eval_bool_expression(std::string_view text, const Scope& scope, Functions functions) {
  TIPHYS_TRY(const Expression expression, Expression::compile(text, functions));
  return expression.eval_bool(scope);
}

}  // namespace tiphys::expr
