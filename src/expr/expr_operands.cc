#include <algorithm>

#include "expr/expr_grammar.h"
#include "expr/functions.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/unicode.h"

namespace tiphys::expr {

/// The functions with a predicate, and whether they go without it or take one more argument.
struct Collector {
  std::string_view name;
  bool predicate_optional;
  bool takes_third;
};

namespace {

constexpr std::size_t kLongestPath = 32;
constexpr int kNotPrecedence = 50;
constexpr int kSignPrecedence = 90;

constexpr Collector kCollectors[] = {
    {"all", false, false},     {"none", false, false},      {"any", false, false},      {"one", false, false},
    {"filter", false, false},  {"map", false, false},       {"count", true, false},     {"sum", true, false},
    {"find", false, false},    {"findIndex", false, false}, {"findLast", false, false}, {"findLastIndex", false, false},
    {"groupBy", false, false}, {"sortBy", false, true},     {"reduce", false, true},
};

}  // namespace

ExprParser::Parsed ExprParser::parse_primary() {
  const Token token = current();
  const Op unary = token.is_operator("not") || token.is_operator("!") ? Op::kNot
                   : token.is_operator("-")                           ? Op::kNegate
                   : token.is_operator("+")                           ? Op::kPlus
                                                                      : Op::kNone;
  if (unary != Op::kNone) {
    advance();
    TIPHYS_TRY(const Node* operand, parse_expression(unary == Op::kNot ? kNotPrecedence : kSignPrecedence));
    TIPHYS_TRY(Node * node, make(Kind::kUnary, token.offset, {operand}));
    node->op = unary;
    return parse_postfix(node);
  }
  if (accept_bracket("(")) {
    TIPHYS_TRY(Node * inner, parse_sequence());
    TIPHYS_CHECK_OK(expect_bracket(")"));
    return parse_postfix(inner);
  }
  if (predicates_ > 0 && (token.is_operator("#") || token.is_operator("."))) {
    TIPHYS_TRY(Node * node, make(Kind::kPointer, token.offset));
    if (accept_operator("#") && current().is(Token::Kind::kIdentifier) && current().offset == token.offset + 1) {
      node->text = current().text;
      if (node->text != "index" && node->text != "acc") {
        return error_at(token.offset, "unknown pointer #" + node->text + ", expected #, #index or #acc");
      }
      advance();
    }
    return parse_postfix(node);
  }
  if (accept_operator("::")) {
    const Token name = current();
    if (!name.is(Token::Kind::kIdentifier)) return unexpected("a function");
    advance();
    TIPHYS_TRY(Node * call, parse_call(name, nullptr));
    return parse_postfix(call);
  }
  return parse_value();
}

ExprParser::Parsed ExprParser::parse_value() {
  const Token token = current();
  switch (token.kind) {
    case Token::Kind::kIdentifier:
      advance();
      if (token.text == "true" || token.text == "false") return make_literal(token.text == "true", token.offset);
      if (token.text == "nil") return make_literal(nullptr, token.offset);
      if (current().is_bracket("(")) {
        TIPHYS_TRY(Node * call, parse_call(token, nullptr));
        return parse_postfix(call);
      }
      return parse_name(token);
    case Token::Kind::kNumber:
      advance();
      return parse_number(token);
    case Token::Kind::kString: {
      advance();
      TIPHYS_TRY(Node * node, make_literal(doc::Value(token.text), token.offset));
      return parse_postfix(node);
    }
    case Token::Kind::kBytes: {
      advance();
      TIPHYS_TRY(Node * node, make_literal(make_go_value(GoKind::kBytes, doc::Value(token.text)), token.offset));
      return parse_postfix(node);
    }
    default:
      break;
  }
  if (token.is_bracket("[")) {
    TIPHYS_TRY(Node * node, parse_array());
    return parse_postfix(node);
  }
  if (token.is_bracket("{")) {
    TIPHYS_TRY(Node * node, parse_map());
    return parse_postfix(node);
  }
  return unexpected("a value");
}

ExprParser::Parsed ExprParser::parse_name(const Token& token) {
  if (const auto local = find_local(token.text)) {
    TIPHYS_TRY(Node * node, make(Kind::kVariable, token.offset));
    node->slot = *local;
    return parse_postfix(node);
  }
  if (token.text == "$env") {
    TIPHYS_TRY(Node * node, make(Kind::kEnv, token.offset));
    return parse_postfix(node);
  }
  TIPHYS_TRY(Node * node, make(Kind::kPath, token.offset));
  start_path(*node, token.text, token.offset);
  return parse_postfix(node);
}

void ExprParser::start_path(Node& node, const std::string& name, std::uint32_t offset) {
  node.kind = Kind::kPath;
  node.parts.push_back(name);
  node.names.push_back(name);
  node.offsets.push_back(offset);
  tree_.paths.push_back(&node);
}

ExprParser::Parsed ExprParser::parse_number(const Token& token) {
  std::string digits = token.text;
  std::erase(digits, '_');
  const std::string lower = to_lower(digits);
  const bool hex = lower.starts_with("0x");
  if (!hex && lower.find_first_of(".e") != std::string::npos) {
    const auto number = parse_go_float(digits);
    if (!number) return error_at(token.offset, "invalid float literal: " + token.text);
    return make_literal(*number, token.offset);
  }
  const bool based = hex || lower.starts_with("0b") || lower.starts_with("0o");
  const auto number = parse_go_int(digits, based ? 0 : 10);
  if (!number) return error_at(token.offset, "invalid integer literal: " + token.text);
  return make_literal(*number, token.offset);
}

ExprParser::Parsed ExprParser::parse_array() {
  const std::uint32_t offset = current().offset;
  advance();
  std::vector<const Node*> elements;
  while (!current().is_bracket("]")) {
    if (!elements.empty()) {
      TIPHYS_CHECK_OK(expect_operator(","));
      if (current().is_bracket("]")) break;
    }
    TIPHYS_TRY(const Node* element, parse_expression(0));
    elements.push_back(element);
  }
  advance();
  TIPHYS_TRY(Node * node, make(Kind::kArray, offset, std::move(elements)));
  return node;
}

ExprParser::Parsed ExprParser::parse_map() {
  const std::uint32_t offset = current().offset;
  advance();
  std::vector<const Node*> members;
  while (!current().is_bracket("}")) {
    if (!members.empty()) {
      TIPHYS_CHECK_OK(expect_operator(","));
      if (current().is_bracket("}")) break;
    }
    const Token key = current();
    if (key.is(Token::Kind::kNumber) || key.is(Token::Kind::kString) || key.is(Token::Kind::kIdentifier)) {
      advance();
      TIPHYS_TRY(const Node* literal, make_literal(doc::Value(key.text), key.offset));
      members.push_back(literal);
    } else if (key.is_bracket("(")) {
      TIPHYS_TRY(const Node* computed, parse_expression(0));
      members.push_back(computed);
    } else {
      return error_at(key.offset,
                      "a map key must be a quoted string, a number, a identifier, or an expression enclosed in "
                      "parentheses (unexpected token " +
                          key.describe() + ")");
    }
    TIPHYS_CHECK_OK(expect_operator(":"));
    TIPHYS_TRY(const Node* value, parse_expression(0));
    members.push_back(value);
  }
  advance();
  TIPHYS_TRY(Node * node, make(Kind::kMap, offset, std::move(members)));
  return node;
}

bool ExprParser::is_collector(std::string_view name) {
  return std::ranges::find(kCollectors, name, &Collector::name) != std::end(kCollectors);
}

ExprParser::Parsed ExprParser::parse_call(const Token& name, const Node* piped) {
  const auto* collector = std::ranges::find(kCollectors, name.text, &Collector::name);
  if (collector != std::end(kCollectors)) return parse_collect(*collector, name.offset, piped);
  std::vector<const Node*> arguments;
  if (piped) arguments.push_back(piped);
  TIPHYS_CHECK_OK(parse_arguments(arguments));
  return make_call(find_function(name.text), name.text, name.offset, std::move(arguments));
}

ExprParser::Parsed ExprParser::make_call(const Function* function, std::string name, std::uint32_t offset,
                                         std::vector<const Node*> arguments) {
  if (function && (arguments.size() < function->least || arguments.size() > function->most)) {
    const std::string expected = function->least == function->most ? std::to_string(function->least)
                                 : function->most == Function::kAny
                                     ? "at least " + std::to_string(function->least)
                                     : std::to_string(function->least) + " to " + std::to_string(function->most);
    return error_at(offset, "invalid number of arguments for " + name + " (expected " + expected + ", got " +
                                std::to_string(arguments.size()) + ")");
  }
  TIPHYS_TRY(Node * node, make(function ? Kind::kCall : Kind::kUndefined, offset, std::move(arguments)));
  node->function = function;
  node->text = std::move(name);
  return node;
}

Status ExprParser::parse_arguments(std::vector<const Node*>& arguments) {
  TIPHYS_CHECK_OK(expect_bracket("("));
  for (bool first = true; !current().is_bracket(")"); first = false) {
    if (!first) {
      TIPHYS_CHECK_OK(expect_operator(","));
      if (current().is_bracket(")")) break;
    }
    TIPHYS_TRY(const Node* argument, parse_expression(0));
    arguments.push_back(argument);
  }
  advance();
  return {};
}

ExprParser::Parsed ExprParser::parse_collect(const Collector& collector, std::uint32_t offset, const Node* piped) {
  TIPHYS_CHECK_OK(expect_bracket("("));
  std::vector<const Node*> arguments = {piped};
  if (!piped) {
    TIPHYS_TRY(arguments[0], parse_expression(0));
  }
  if (!(collector.predicate_optional && current().is_bracket(")"))) {
    if (!piped) TIPHYS_CHECK_OK(expect_operator(","));
    TIPHYS_TRY(const Node* predicate, parse_predicate());
    arguments.push_back(predicate);
    if (collector.takes_third && current().is_operator(",") && !tokens_[at_ + 1].is_bracket(")")) {
      advance();
      TIPHYS_TRY(const Node* third, parse_expression(0));
      arguments.push_back(third);
    }
  }
  accept_operator(",");
  TIPHYS_CHECK_OK(expect_bracket(")"));
  TIPHYS_TRY(Node * node, make(Kind::kCollect, offset, std::move(arguments)));
  node->text = collector.name;
  return node;
}

ExprParser::Parsed ExprParser::parse_predicate() {
  const std::uint32_t offset = current().offset;
  const bool braces = accept_bracket("{");
  ++predicates_;
  TIPHYS_TRY(const Node* body, braces ? parse_sequence() : parse_expression(0));
  --predicates_;
  if (braces) {
    TIPHYS_CHECK_OK(expect_bracket("}"));
  } else if (current().is_operator(";")) {
    return error_at(current().offset, "wrap predicate with brackets { and }");
  }
  return make(Kind::kPredicate, offset, {body});
}

ExprParser::Parsed ExprParser::parse_postfix(Node* node) {
  for (;;) {
    const Token token = current();
    const bool optional = token.is_operator("?.");
    if (token.is_operator(".") || optional) {
      advance();
      if (optional && current().is_bracket("[")) {
        TIPHYS_TRY(node, parse_index(node, true));
      } else {
        TIPHYS_TRY(node, parse_member(node, optional));
      }
    } else if (token.is_bracket("[")) {
      TIPHYS_TRY(node, parse_index(node, false));
    } else {
      return node;
    }
  }
}

ExprParser::Parsed ExprParser::parse_member(Node* base, bool optional) {
  const Token name = current();
  const bool is_word = name.is(Token::Kind::kOperator) && is_letter(code_point_at(name.text, 0).value);
  if (!name.is(Token::Kind::kIdentifier) && !is_word) {
    return error_at(name.offset, "expected name, found " + name.describe());
  }
  advance();
  const bool in_chain = base->kind == Kind::kChain;
  const Node* inner = in_chain ? base->children[0] : base;
  Node* node = nullptr;
  if (current().is_bracket("(")) {
    std::vector<const Node*> arguments;
    TIPHYS_CHECK_OK(parse_arguments(arguments));
    if (base->kind == Kind::kPath && base->names.back() == "sprig") {
      base->kind = Kind::kLiteral;  // it is no variable
      return make_call(find_sprig_function(name.text), "sprig." + name.text, base->offset, std::move(arguments));
    }
    TIPHYS_TRY(node, make_method_call(inner, name, std::move(arguments)));
    node->optional = optional;
  } else if (!in_chain && extends_path(*base, optional)) {
    return extend_path(*base, name.text, name.offset);
  } else {
    TIPHYS_TRY(const Node* property, make_literal(doc::Value(name.text), name.offset));
    TIPHYS_TRY(node, make(Kind::kMember, name.offset, {inner, property}));
    node->optional = optional;
  }
  if (in_chain || optional) return make(Kind::kChain, name.offset, {node});
  return node;
}

ExprParser::Parsed ExprParser::make_method_call(const Node* base, const Token& name,
                                                std::vector<const Node*> arguments) {
  arguments.insert(arguments.begin(), base);
  TIPHYS_TRY(Node * node, make(Kind::kMethod, name.offset, std::move(arguments)));
  node->text = name.text;
  return node;
}

bool ExprParser::extends_path(const Node& base, bool optional) const {
  return (base.kind == Kind::kPath || base.kind == Kind::kEnv) && !optional && base.parts.size() < kLongestPath;
}

ExprParser::Parsed ExprParser::extend_path(Node& base, const std::string& name, std::uint32_t offset) {
  if (base.kind == Kind::kEnv) {
    start_path(base, name, offset);
    return &base;
  }
  base.names.push_back(base.names.back() + "." + name);
  base.parts.push_back(name);
  base.offsets.push_back(offset);
  base.end = last_end();
  return &base;
}

ExprParser::Parsed ExprParser::parse_index(Node* base, bool optional) {
  const std::uint32_t offset = current().offset;
  advance();
  const Node* from = nullptr;
  if (!current().is_operator(":")) {
    TIPHYS_TRY(from, parse_expression(0));
  }
  if (accept_operator(":")) {
    const Node* to = nullptr;
    if (!current().is_bracket("]")) {
      TIPHYS_TRY(to, parse_expression(0));
    }
    TIPHYS_CHECK_OK(expect_bracket("]"));
    return make(Kind::kSlice, offset, {base, from, to});
  }
  TIPHYS_CHECK_OK(expect_bracket("]"));
  // A key with dots is one key.
  if (extends_path(*base, optional) && from->kind == Kind::kLiteral && from->literal.is_string() &&
      from->literal.get_string().find('.') == std::string::npos) {
    return extend_path(*base, std::string(from->literal.get_string()), from->offset);
  }
  TIPHYS_TRY(Node * node, make(Kind::kMember, offset, {base, from}));
  node->optional = optional;
  if (optional) return make(Kind::kChain, offset, {node});
  return node;
}

}  // namespace tiphys::expr
