#include "expr/expr_parser.h"

#include <re2/re2.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "expr/expr_token.h"
#include "expr/functions.h"
#include "expr/go_text.h"
#include "expr/position.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

using Kind = Node::Kind;
using Token = ExprToken;
using Parsed = Result<Node*>;

constexpr std::size_t kLongest = 1024 * 1024;
constexpr std::size_t kMostNodes = 10000;
constexpr int kDeepestNesting = 100;  ///< of what the parser recurses into
constexpr int kDeepestTree = 1000;    ///< of what the evaluator recurses into
constexpr std::size_t kLongestPath = 32;

struct BinaryOperator {
  std::string_view text;
  Op op;
  int precedence;
};
constexpr BinaryOperator kBinaryOperators[] = {
    {"or", Op::kOr, 10},
    {"||", Op::kOr, 10},
    {"and", Op::kAnd, 15},
    {"&&", Op::kAnd, 15},
    {"==", Op::kEqual, 20},
    {"!=", Op::kNotEqual, 20},
    {"<", Op::kLess, 20},
    {">", Op::kGreater, 20},
    {"<=", Op::kLessOrEqual, 20},
    {">=", Op::kGreaterOrEqual, 20},
    {"in", Op::kIn, 20},
    {"matches", Op::kMatches, 20},
    {"contains", Op::kContains, 20},
    {"startsWith", Op::kStartsWith, 20},
    {"endsWith", Op::kEndsWith, 20},
    {"..", Op::kRange, 25},
    {"+", Op::kAdd, 30},
    {"-", Op::kSubtract, 30},
    {"*", Op::kMultiply, 60},
    {"/", Op::kDivide, 60},
    {"%", Op::kModulo, 60},
    {"**", Op::kPower, 100},
    {"^", Op::kPower, 100},
    {"??", Op::kCoalesce, 500},
};
constexpr int kNotPrecedence = 50;
constexpr int kSignPrecedence = 90;

const BinaryOperator* find_binary(const Token& token) {
  if (!token.is(Token::Kind::kOperator)) return nullptr;
  const auto* found = std::ranges::find(kBinaryOperators, token.text, &BinaryOperator::text);
  return found == std::end(kBinaryOperators) ? nullptr : found;
}

bool is_comparison(Op op) {
  return op == Op::kLess || op == Op::kGreater || op == Op::kLessOrEqual || op == Op::kGreaterOrEqual;
}
bool may_follow_not(Op op) {
  return op == Op::kIn || op == Op::kMatches || op == Op::kContains || op == Op::kStartsWith || op == Op::kEndsWith;
}

/// The functions with a predicate, and whether they go without it or take one more argument.
struct Collector {
  std::string_view name;
  bool predicate_optional;
  bool takes_third;
};
constexpr Collector kCollectors[] = {
    {"all", false, false},     {"none", false, false},      {"any", false, false},      {"one", false, false},
    {"filter", false, false},  {"map", false, false},       {"count", true, false},     {"sum", true, false},
    {"find", false, false},    {"findIndex", false, false}, {"findLast", false, false}, {"findLastIndex", false, false},
    {"groupBy", false, false}, {"sortBy", false, true},     {"reduce", false, true},
};

std::string describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kEnd:
      return "EOF";
    case Token::Kind::kIdentifier:
      return "Identifier(\"" + token.text + "\")";
    case Token::Kind::kNumber:
      return "Number(\"" + token.text + "\")";
    case Token::Kind::kString:
      return "String(\"" + token.text + "\")";
    case Token::Kind::kOperator:
      return "Operator(\"" + token.text + "\")";
    case Token::Kind::kBracket:
      return "Bracket(\"" + token.text + "\")";
  }
  return "";
}

class Parser {
 public:
  Parser(Tree& tree, std::vector<Token> tokens) : tree_(tree), tokens_(std::move(tokens)) {}

  Status parse() {
    TIPHYS_TRY(tree_.root, parse_sequence());
    if (!current().is(Token::Kind::kEnd)) return std::unexpected(unexpected("an operator or the end").error());
    return {};
  }

 private:
  const Token& current() const { return tokens_[at_]; }
  void advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool accept_operator(std::string_view text) {
    if (!current().is_operator(text)) return false;
    advance();
    return true;
  }
  bool accept_bracket(std::string_view text) {
    if (!current().is_bracket(text)) return false;
    advance();
    return true;
  }
  Status expect_bracket(std::string_view text) {
    if (accept_bracket(text)) return {};
    return std::unexpected(unexpected(text).error());
  }
  Status expect_operator(std::string_view text) {
    if (accept_operator(text)) return {};
    return std::unexpected(unexpected(text).error());
  }

  Parsed error_at(std::uint32_t offset, const std::string& what) const {
    return fail(Code::kInvalidArgument, what + caret(tree_.text, offset));
  }
  Parsed unexpected(std::string_view wanted) const {
    return error_at(current().offset, "unexpected token " + describe(current()) + ", expected " + std::string(wanted));
  }

  Parsed make(Kind kind, std::uint32_t offset, std::vector<const Node*> children = {}) {
    if (tree_.nodes.size() >= kMostNodes) {
      return error_at(offset, "compilation failed: expression exceeds maximum allowed nodes");
    }
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.offset = offset;
    for (const Node* child : children) {
      if (child) node.depth = std::max<std::uint16_t>(node.depth, static_cast<std::uint16_t>(child->depth + 1));
    }
    if (node.depth > kDeepestTree) return error_at(offset, "the expression is nested too deeply");
    node.children = std::move(children);
    return &node;
  }
  Parsed make_literal(doc::Value value, std::uint32_t offset) {
    TIPHYS_TRY(Node * node, make(Kind::kLiteral, offset));
    node->typed = !value.is_null();
    node->literal = std::move(value);
    return node;
  }

  // Lets and sequences.

  Parsed parse_sequence() {
    TIPHYS_TRY(Node * first, parse_expression(0));
    if (!current().is_operator(";")) return first;
    std::vector<const Node*> nodes = {first};
    while (accept_operator(";")) {
      if (current().is(Token::Kind::kEnd)) break;
      TIPHYS_TRY(const Node* next, parse_expression(0));
      nodes.push_back(next);
    }
    if (nodes.size() == 1) return first;
    return make(Kind::kSequence, first->offset, std::move(nodes));
  }

  Parsed parse_let() {
    advance();
    const Token name = current();
    if (!name.is(Token::Kind::kIdentifier)) return unexpected("the name of a variable");
    advance();
    TIPHYS_CHECK_OK(expect_operator("="));
    TIPHYS_TRY(const Node* value, parse_expression(0));
    TIPHYS_CHECK_OK(expect_operator(";"));
    if (find_function(name.text) || is_collector(name.text)) {
      return error_at(name.offset, "cannot redeclare builtin " + name.text);
    }
    if (find_local(name.text)) return error_at(name.offset, "cannot redeclare variable " + name.text);
    locals_.push_back({name.text, value->typed});
    tree_.slots = std::max(tree_.slots, static_cast<std::uint32_t>(locals_.size()));
    TIPHYS_TRY(const Node* body, parse_sequence());
    locals_.pop_back();
    TIPHYS_TRY(Node * node, make(Kind::kLet, name.offset, {value, body}));
    node->slot = static_cast<std::uint32_t>(locals_.size());
    return node;
  }

  Parsed parse_if() {
    const Token word = current();
    advance();
    TIPHYS_TRY(const Node* condition, parse_expression(0));
    TIPHYS_CHECK_OK(expect_bracket("{"));
    TIPHYS_TRY(const Node* then, parse_sequence());
    TIPHYS_CHECK_OK(expect_bracket("}"));
    TIPHYS_CHECK_OK(expect_operator("else"));
    if (current().is_operator("if")) {
      Nesting nesting(*this);
      if (nesting.too_deep()) return too_deep();
      TIPHYS_TRY(const Node* other, parse_if());
      return make(Kind::kConditional, word.offset, {condition, then, other});
    }
    TIPHYS_CHECK_OK(expect_bracket("{"));
    TIPHYS_TRY(const Node* other, parse_sequence());
    TIPHYS_CHECK_OK(expect_bracket("}"));
    return make(Kind::kConditional, word.offset, {condition, then, other});
  }

  // Operators.

  Parsed parse_expression(int precedence) {
    Nesting nesting(*this);
    if (nesting.too_deep()) return too_deep();
    if (precedence == 0 && current().is_operator("let")) return parse_let();
    if (precedence == 0 && current().is_operator("if")) return parse_if();
    TIPHYS_TRY(Node * left, parse_primary());
    Op before = Op::kNone;
    for (;;) {
      if (precedence == 0 && current().is_operator("|")) {
        TIPHYS_TRY(left, parse_pipe(left));
        before = Op::kNone;
        continue;
      }
      const std::size_t rewind = at_;
      const bool negate = accept_operator("not");
      const BinaryOperator* binary = find_binary(current());
      if (negate && (!binary || !may_follow_not(binary->op)))
        return unexpected("in, matches, contains, startsWith or endsWith");
      if (!binary || binary->precedence < precedence) {
        at_ = rewind;
        break;
      }
      const Token token = current();
      if (before == Op::kCoalesce && binary->op != Op::kCoalesce) {
        return error_at(token.offset, "Operator (" + token.text +
                                          ") and coalesce expressions (?"
                                          "?) cannot be mixed. Wrap either by parentheses.");
      }
      advance();
      TIPHYS_TRY(left, is_comparison(binary->op) ? parse_comparison(left, *binary, token.offset)
                                                 : parse_right_side(left, *binary, token.offset));
      if (negate) {
        TIPHYS_TRY(left, make(Kind::kUnary, token.offset, {left}));
        left->op = Op::kNot;
        left->typed = true;
      }
      before = binary->op;
    }
    if (precedence == 0) return parse_conditional(left);
    return left;
  }

  Parsed parse_pipe(const Node* left) {
    advance();
    const Token name = current();
    if (!name.is(Token::Kind::kIdentifier)) return unexpected("a function");
    advance();
    TIPHYS_TRY(Node * call, parse_call(name, left));
    return call;
  }

  Parsed parse_right_side(const Node* left, const BinaryOperator& binary, std::uint32_t offset) {
    const bool from_right = binary.op == Op::kPower;
    TIPHYS_TRY(const Node* right, parse_expression(binary.precedence + (from_right ? 0 : 1)));
    return make_binary(binary.op, left, right, offset);
  }

  Parsed make_binary(Op op, const Node* left, const Node* right, std::uint32_t offset) {
    TIPHYS_TRY(Node * node, make(Kind::kBinary, offset, {left, right}));
    node->op = op;
    const bool keeps_type = op == Op::kAdd || op == Op::kSubtract || op == Op::kMultiply;
    node->typed = keeps_type ? left->typed && right->typed : op != Op::kCoalesce;
    if (op == Op::kMatches && right->kind == Kind::kLiteral && right->literal.is_string()) {
      auto pattern = std::make_shared<const re2::RE2>(std::string(right->literal.get_string()), RE2::Quiet);
      if (pattern->ok()) node->pattern = std::move(pattern);
    }
    return node;
  }

  /// a < b < c is a < b && b < c.
  Parsed parse_comparison(const Node* left, const BinaryOperator& first, std::uint32_t offset) {
    Node* root = nullptr;
    const BinaryOperator* binary = &first;
    for (;;) {
      TIPHYS_TRY(const Node* right, parse_expression(binary->precedence + 1));
      TIPHYS_TRY(Node * comparison, make_binary(binary->op, left, right, offset));
      if (root) {
        TIPHYS_TRY(root, make_binary(Op::kAnd, root, comparison, offset));
      } else {
        root = comparison;
      }
      left = right;
      binary = find_binary(current());
      if (!binary || !is_comparison(binary->op)) return root;
      offset = current().offset;
      advance();
    }
  }

  Parsed parse_conditional(Node* node) {
    while (current().is_operator("?")) {
      const std::uint32_t offset = current().offset;
      advance();
      const Node* then = node;
      if (!current().is_operator(":")) {
        TIPHYS_TRY(then, parse_expression(0));
      }
      TIPHYS_CHECK_OK(expect_operator(":"));
      TIPHYS_TRY(const Node* other, parse_expression(0));
      TIPHYS_TRY(node, make(Kind::kConditional, offset, {node, then, other}));
    }
    return node;
  }

  Parsed parse_primary() {
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
      node->typed = unary == Op::kNot || operand->typed;
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

  Parsed parse_value() {
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

  Parsed parse_name(const Token& token) {
    if (const auto local = find_local(token.text)) {
      TIPHYS_TRY(Node * node, make(Kind::kVariable, token.offset));
      node->slot = *local;
      node->typed = locals_[*local].typed;
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

  static void start_path(Node& node, const std::string& name, std::uint32_t offset) {
    node.kind = Kind::kPath;
    node.parts.push_back(name);
    node.names.push_back(name);
    node.offsets.push_back(offset);
    node.typed = true;
  }

  Parsed parse_number(const Token& token) {
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

  Parsed parse_array() {
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
    node->typed = true;
    return node;
  }

  Parsed parse_map() {
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
                            describe(key) + ")");
      }
      TIPHYS_CHECK_OK(expect_operator(":"));
      TIPHYS_TRY(const Node* value, parse_expression(0));
      members.push_back(value);
    }
    advance();
    TIPHYS_TRY(Node * node, make(Kind::kMap, offset, std::move(members)));
    node->typed = true;
    return node;
  }

  // Calls.

  static bool is_collector(std::string_view name) {
    return std::ranges::find(kCollectors, name, &Collector::name) != std::end(kCollectors);
  }

  /// `piped` is the first argument when it stands before a |.
  Parsed parse_call(const Token& name, const Node* piped) {
    const auto* collector = std::ranges::find(kCollectors, name.text, &Collector::name);
    if (collector != std::end(kCollectors)) return parse_collect(*collector, name.offset, piped);
    std::vector<const Node*> arguments;
    if (piped) arguments.push_back(piped);
    TIPHYS_CHECK_OK(parse_arguments(arguments));
    return make_call(find_function(name.text), name.text, name.offset, std::move(arguments));
  }

  Parsed make_call(const Function* function, std::string name, std::uint32_t offset,
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
    node->typed = function && function->typed;
    node->text = std::move(name);
    return node;
  }

  Status parse_arguments(std::vector<const Node*>& arguments) {
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

  Parsed parse_collect(const Collector& collector, std::uint32_t offset, const Node* piped) {
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

  Parsed parse_predicate() {
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

  // Members.

  Parsed parse_postfix(Node* node) {
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

  Parsed parse_member(Node* base, bool optional) {
    const Token name = current();
    const bool is_word = name.is(Token::Kind::kOperator) && is_letter(code_point_at(name.text, 0).value);
    if (!name.is(Token::Kind::kIdentifier) && !is_word) {
      return error_at(name.offset, "expected name, found " + describe(name));
    }
    advance();
    const bool in_chain = base->kind == Kind::kChain;
    const Node* inner = in_chain ? base->children[0] : base;
    Node* node = nullptr;
    if (current().is_bracket("(")) {
      std::vector<const Node*> arguments;
      TIPHYS_CHECK_OK(parse_arguments(arguments));
      TIPHYS_TRY(node, make_method_call(*base, name, std::move(arguments)));
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

  Parsed make_method_call(Node& base, const Token& name, std::vector<const Node*> arguments) {
    if (base.kind == Kind::kPath && base.names.back() == "sprig") {
      base.kind = Kind::kLiteral;  // it is no variable
      return make_call(find_sprig_function(name.text), "sprig." + name.text, base.offset, std::move(arguments));
    }
    const std::string prefix = base.kind == Kind::kPath ? base.names.back() + "." : ".";
    return make_call(nullptr, prefix + name.text, name.offset, std::move(arguments));
  }

  bool extends_path(const Node& base, bool optional) const {
    return (base.kind == Kind::kPath || base.kind == Kind::kEnv) && !optional && base.parts.size() < kLongestPath;
  }

  Parsed extend_path(Node& base, const std::string& name, std::uint32_t offset) {
    if (base.kind == Kind::kEnv) {
      start_path(base, name, offset);
      return &base;
    }
    base.names.push_back(base.names.back() + "." + name);
    base.parts.push_back(name);
    base.offsets.push_back(offset);
    base.typed = false;
    return &base;
  }

  Parsed parse_index(Node* base, bool optional) {
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
    if (extends_path(*base, optional) && from->kind == Kind::kLiteral && from->literal.is_string()) {
      return extend_path(*base, std::string(from->literal.get_string()), from->offset);
    }
    TIPHYS_TRY(Node * node, make(Kind::kMember, offset, {base, from}));
    node->optional = optional;
    if (optional) return make(Kind::kChain, offset, {node});
    return node;
  }

  // Bounds and names.

  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) { ++parser_.nesting_; }
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    bool too_deep() const { return parser_.nesting_ > kDeepestNesting; }

   private:
    Parser& parser_;
  };
  Parsed too_deep() const { return error_at(current().offset, "the expression is nested too deeply"); }

  struct Local {
    std::string name;
    bool typed;
  };
  std::optional<std::uint32_t> find_local(std::string_view name) const {
    const auto found = std::ranges::find(locals_, name, &Local::name);
    if (found == locals_.end()) return std::nullopt;
    return static_cast<std::uint32_t>(found - locals_.begin());
  }

  Tree& tree_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  int predicates_ = 0;
  std::vector<Local> locals_;
};

}  // namespace

Result<std::unique_ptr<const Tree>> parse_expression(std::string_view text) {
  if (text.size() > kLongest) return fail(Code::kInvalidArgument, "the expression is longer than 1 MiB");
  TIPHYS_TRY(std::vector<ExprToken> tokens, read_expr_tokens(text));
  auto tree = std::make_unique<Tree>();
  tree->text = text;
  TIPHYS_CHECK_OK(Parser(*tree, std::move(tokens)).parse());
  return tree;
}

}  // namespace tiphys::expr
