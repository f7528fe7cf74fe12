#include <algorithm>
#include <optional>
#include <unordered_map>

#include "expr/expr_parser.h"
#include "expr/operators.h"
#include "expr/scope.h"

namespace tiphys::expr {
namespace {

using Kind = Node::Kind;

bool is_scalar(const doc::Value& value) {
  return !value.is_structured();
}

/// What the node gives when that follows from its constant children and is small; an error stays for the evaluation.
std::optional<doc::Value> fold(const Node& node) {
  const auto constant = [](const Node* child) { return child && child->constant && is_scalar(child->literal); };
  if (node.children.empty() || !std::ranges::all_of(node.children, constant)) return std::nullopt;
  const doc::Value& first = node.children[0]->literal;
  if (node.kind == Kind::kArray) {
    doc::Array elements;
    for (const Node* child : node.children) elements.push_back(child->literal);
    return elements;
  }
  if (node.kind == Kind::kUnary && node.op == Op::kNot && first.is_bool()) return !first.get_bool();
  if (node.kind == Kind::kBinary && node.op == Op::kEqual && first.kind() == node.children[1]->literal.kind()) {
    if (first.is_bool() || first.is_string() || first.is_int64()) return first == node.children[1]->literal;
  }
  Result<doc::Value> value;  // of a number
  if (node.kind == Kind::kUnary && node.op == Op::kNegate) value = negate(first);
  if (node.kind == Kind::kBinary && node.op >= Op::kAdd && is_number(first)) {
    value = apply_binary(node.op, first, node.children[1]->literal);
  }
  if (!value || !is_number(*value)) return std::nullopt;
  return std::move(*value);
}

/// `x and false` is false and `x or true` true, whatever x is.
std::optional<doc::Value> decided(const Node& node) {
  if (node.kind != Kind::kBinary || (node.op != Op::kOr && node.op != Op::kAnd)) return std::nullopt;
  const bool decides = node.op == Op::kOr;
  for (const Node* side : node.children) {
    if (side->constant && side->literal.is_bool() && side->literal.get_bool() == decides) return decides;
  }
  return std::nullopt;
}

void fold_constants(Tree& tree) {
  // Children come before their parents.
  for (Node& node : tree.nodes) {
    if (node.kind == Kind::kLiteral) {
      node.constant = true;
    } else {
      auto value = fold(node);
      if (!value) value = decided(node);
      node.constant = value.has_value();
      if (value) node.literal = std::move(*value);
    }
    if (node.constant) node.given = Held(&node.literal);
  }
}

void count_nodes(Tree& tree) {
  for (Node& node : tree.nodes) {
    node.size = 1;
    for (const Node* child : node.children) node.size += child ? child->size : 0;
  }
}

/// Paths of the same name get one place.
void share_places(Tree& tree) {
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (Node* path : tree.paths) {
    if (path->kind != Kind::kPath) continue;
    const std::string& name = path->names.back();
    const auto [place, is_new] = places.emplace(name, static_cast<std::uint32_t>(tree.variables.size()));
    path->slot = place->second;
    if (is_new) tree.variables.push_back({.name = name, .root = path->parts[0], .hash = Scope::hash(name)});
  }
}

}  // namespace

void prepare(Tree& tree) {
  fold_constants(tree);
  count_nodes(tree);
  share_places(tree);
}

}  // namespace tiphys::expr
