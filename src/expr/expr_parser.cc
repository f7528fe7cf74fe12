#include "expr/expr_parser.h"

#include <re2/re2.h>

#include <algorithm>

#include "expr/expr_grammar.h"
#include "expr/functions.h"
#include "expr/position.h"

namespace tiphys::expr {

struct BinaryOperator {
  std::string_view text;
  Op op;
  int precedence;
};

namespace {

constexpr std::size_t kLongest = 1024 * 1024;
constexpr std::size_t kMostNodes = 10000;
constexpr int kDeepestTree = 1000;  ///< of what the evaluator recurses into

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
const BinaryOperator* find_binary(const ExprToken& token) {
  if (!token.is(ExprToken::Kind::kOperator)) return nullptr;
  const auto* found = std::ranges::find(kBinaryOperators, token.text, &BinaryOperator::text);
  return found == std::end(kBinaryOperators) ? nullptr : found;
}

bool is_comparison(Op op) {
  return op == Op::kLess || op == Op::kGreater || op == Op::kLessOrEqual || op == Op::kGreaterOrEqual;
}
bool may_follow_not(Op op) {
  return op == Op::kIn || op == Op::kMatches || op == Op::kContains || op == Op::kStartsWith || op == Op::kEndsWith;
}

}  // namespace

Status ExprParser::parse() {
  TIPHYS_TRY(tree_.root, parse_sequence());
  if (!current().is(Token::Kind::kEnd)) return std::unexpected(unexpected("an operator or the end").error());
  return {};
}

ExprParser::Parsed ExprParser::error_at(std::uint32_t offset, const std::string& what) const {
  return fail(Code::kInvalidArgument, what + caret(tree_.text, offset));
}

ExprParser::Parsed ExprParser::unexpected(std::string_view wanted) const {
  return error_at(current().offset, "unexpected token " + current().describe() + ", expected " + std::string(wanted));
}

ExprParser::Parsed ExprParser::make(Kind kind, std::uint32_t offset, std::vector<const Node*> children) {
  if (tree_.nodes.size() >= kMostNodes) {
    return error_at(offset, "compilation failed: expression exceeds maximum allowed nodes");
  }
  Node& node = tree_.nodes.emplace_back();
  node.kind = kind;
  node.offset = node.begin = offset;
  node.end = last_end();
  for (const Node* child : children) {
    if (child) node.begin = std::min(node.begin, child->begin);
    if (child) node.depth = std::max<std::uint16_t>(node.depth, static_cast<std::uint16_t>(child->depth + 1));
  }
  if (node.depth > kDeepestTree) return error_at(offset, "the expression is nested too deeply");
  node.children = std::move(children);
  return &node;
}

ExprParser::Parsed ExprParser::make_literal(doc::Value value, std::uint32_t offset) {
  TIPHYS_TRY(Node * node, make(Kind::kLiteral, offset));
  node->literal = std::move(value);
  return node;
}

ExprParser::Parsed ExprParser::too_deep() const {
  return error_at(current().offset, "the expression is nested too deeply");
}

std::optional<std::uint32_t> ExprParser::find_local(std::string_view name) const {
  const auto found = std::ranges::find(locals_, name);
  if (found == locals_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - locals_.begin());
}

ExprParser::Parsed ExprParser::parse_sequence() {
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

ExprParser::Parsed ExprParser::parse_let() {
  advance();
  const Token name = current();
  if (!name.is(Token::Kind::kIdentifier)) return unexpected("the name of a variable");
  advance();
  TIPHYS_CHECK_OK(expect_operator("="));
  TIPHYS_TRY(const Node* value, parse_expression(0));
  TIPHYS_CHECK_OK(expect_operator(";"));
  if (name.text == "sprig") return error_at(name.offset, "cannot redeclare sprig");
  if (find_function(name.text) || is_collector(name.text)) {
    return error_at(name.offset, "cannot redeclare builtin " + name.text);
  }
  if (find_local(name.text)) return error_at(name.offset, "cannot redeclare variable " + name.text);
  locals_.push_back(name.text);
  tree_.slots = std::max(tree_.slots, static_cast<std::uint32_t>(locals_.size()));
  TIPHYS_TRY(const Node* body, parse_sequence());
  locals_.pop_back();
  TIPHYS_TRY(Node * node, make(Kind::kLet, name.offset, {value, body}));
  node->slot = static_cast<std::uint32_t>(locals_.size());
  return node;
}

ExprParser::Parsed ExprParser::parse_if() {
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

ExprParser::Parsed ExprParser::parse_expression(int precedence) {
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
    }
    before = binary->op;
  }
  if (precedence == 0) return parse_conditional(left);
  return left;
}

ExprParser::Parsed ExprParser::parse_pipe(const Node* left) {
  advance();
  const Token name = current();
  if (!name.is(Token::Kind::kIdentifier)) return unexpected("a function");
  advance();
  TIPHYS_TRY(Node * call, parse_call(name, left));
  return call;
}

ExprParser::Parsed ExprParser::parse_right_side(const Node* left, const BinaryOperator& binary, std::uint32_t offset) {
  const bool from_right = binary.op == Op::kPower;
  TIPHYS_TRY(const Node* right, parse_expression(binary.precedence + (from_right ? 0 : 1)));
  return make_binary(binary.op, left, right, offset);
}

ExprParser::Parsed ExprParser::make_binary(Op op, const Node* left, const Node* right, std::uint32_t offset) {
  TIPHYS_TRY(Node * node, make(Kind::kBinary, offset, {left, right}));
  node->op = op;
  if (op == Op::kMatches && right->kind == Kind::kLiteral && right->literal.is_string()) {
    auto pattern = std::make_shared<const re2::RE2>(std::string(right->literal.get_string()), RE2::Quiet);
    if (pattern->ok()) node->pattern = std::move(pattern);
  }
  return node;
}

ExprParser::Parsed ExprParser::parse_comparison(const Node* left, const BinaryOperator& first, std::uint32_t offset) {
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

ExprParser::Parsed ExprParser::parse_conditional(Node* node) {
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

Result<std::unique_ptr<const Tree>> parse_expression(std::string_view text) {
  if (text.size() > kLongest) return fail(Code::kInvalidArgument, "the expression is longer than 1 MiB");
  TIPHYS_TRY(std::vector<ExprToken> tokens, read_expr_tokens(text));
  auto tree = std::make_unique<Tree>();
  tree->text = text;
  TIPHYS_CHECK_OK(ExprParser(*tree, std::move(tokens)).parse());
  prepare(*tree);
  return tree;
}

}  // namespace tiphys::expr
