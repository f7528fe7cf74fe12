// The grammar of expr-lang: a recursive descent with precedences. expr_parser.cc has operators, lets and conditionals,
// expr_operands.cc values, calls and members.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "expr/ast.h"
#include "expr/expr_token.h"

namespace tiphys::expr {

struct BinaryOperator;
struct Collector;

class ExprParser {
 public:
  ExprParser(Tree& tree, std::vector<ExprToken> tokens) : tree_(tree), tokens_(std::move(tokens)) {}

  Status parse();

 private:
  using Kind = Node::Kind;
  using Token = ExprToken;
  using Parsed = Result<Node*>;

  /// Counts how deep the parser is in itself.
  class Nesting {
   public:
    static constexpr int kDeepest = 100;
    explicit Nesting(ExprParser& parser) : parser_(parser) { ++parser_.nesting_; }
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    bool too_deep() const { return parser_.nesting_ > kDeepest; }

   private:
    ExprParser& parser_;
  };

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

  Parsed error_at(std::uint32_t offset, const std::string& what) const;
  Parsed unexpected(std::string_view wanted) const;
  Parsed make(Kind kind, std::uint32_t offset, std::vector<const Node*> children = {});
  Parsed make_literal(doc::Value value, std::uint32_t offset);
  Parsed too_deep() const;
  std::optional<std::uint32_t> find_local(std::string_view name) const;

  Parsed parse_sequence();
  Parsed parse_let();
  Parsed parse_if();
  Parsed parse_expression(int precedence);
  Parsed parse_pipe(const Node* left);
  Parsed parse_right_side(const Node* left, const BinaryOperator& binary, std::uint32_t offset);
  Parsed make_binary(Op op, const Node* left, const Node* right, std::uint32_t offset);
  /// a < b < c is a < b && b < c.
  Parsed parse_comparison(const Node* left, const BinaryOperator& first, std::uint32_t offset);
  Parsed parse_conditional(Node* node);

  Parsed parse_primary();
  Parsed parse_value();
  Parsed parse_name(const Token& token);
  void start_path(Node& node, const std::string& name, std::uint32_t offset);
  Parsed parse_number(const Token& token);
  Parsed parse_array();
  Parsed parse_map();
  static bool is_collector(std::string_view name);
  /// `piped` is the first argument when it stands before a |.
  Parsed parse_call(const Token& name, const Node* piped);
  Parsed make_call(const Function* function, std::string name, std::uint32_t offset,
                   std::vector<const Node*> arguments);
  Status parse_arguments(std::vector<const Node*>& arguments);
  Parsed parse_collect(const Collector& collector, std::uint32_t offset, const Node* piped);
  Parsed parse_predicate();
  Parsed parse_postfix(Node* node);
  Parsed parse_member(Node* base, bool optional);
  Parsed make_method_call(const Node* base, const Token& name, std::vector<const Node*> arguments);
  bool extends_path(const Node& base, bool optional) const;
  Parsed extend_path(Node& base, const std::string& name, std::uint32_t offset);
  Parsed parse_index(Node* base, bool optional);

  Tree& tree_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  int predicates_ = 0;
  std::vector<std::string> locals_;  ///< variables of lets that are in scope
};

}  // namespace tiphys::expr
