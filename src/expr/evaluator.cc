#include "expr/evaluator.h"

#include <re2/re2.h>

#include <algorithm>

#include "doc/utf8.h"
#include "expr/evaluation.h"
#include "expr/functions.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/operators.h"
#include "expr/position.h"
#include "expr/variables.h"

namespace tiphys::expr {
namespace {

using Kind = Node::Kind;

constexpr std::uint64_t kMostSteps = 4'000'000;
constexpr std::uint64_t kMostMemory = 64u << 20;

std::uint64_t weight(const doc::Value& value) {
  std::uint64_t total = sizeof(doc::Value);
  if (const auto* string = value.if_string()) {
    total += string->size();
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) total += weight(element);
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) total += 32 + member.key().size() + weight(member.value());
  }
  return total;
}

}  // namespace

std::unexpected<Error> Evaluation::error_at(const Node& node, const Error& error) const {
  return fail(error.code, error.message + caret(tree_.text, node.offset));
}
std::unexpected<Error> Evaluation::error_at(const Node& node, std::string message) const {
  return fail(Code::kInvalidArgument, std::move(message) + caret(tree_.text, node.offset));
}

Status Evaluation::charge(const doc::Value& value) {
  memory_ += weight(value);
  if (memory_ > kMostMemory) return fail(Code::kResourceExhausted, "memory budget exceeded");
  return {};
}

Result<doc::Value> Evaluation::own(Held held) {
  if (held.borrowed()) TIPHYS_CHECK_OK(charge(*held));
  return held.take();
}

Result<doc::Value> Evaluation::eval_owned(const Node& node) {
  TIPHYS_TRY(Held held, eval(node));
  return own(std::move(held));
}

Result<bool> Evaluation::eval_bool(const Node& node, std::string_view use) {
  TIPHYS_TRY(const Held held, eval(node));
  if (!held->is_bool()) {
    return error_at(node, std::string(use) + " needs a bool, not " + std::string(go_type(*held)));
  }
  return held->get_bool();
}

Result<Held> Evaluation::eval(const Node& node) {
  if (++steps_ > kMostSteps) return fail(Code::kResourceExhausted, "the expression takes too many steps");
  return trace_ ? eval_traced(node) : eval_node(node);
}

Result<Held> Evaluation::eval_traced(const Node& node) {
  auto held = eval_node(node);
  const bool told = node.kind == Kind::kLiteral || node.kind == Kind::kPredicate || node.kind == Kind::kChain;
  if (held && !held->cut && !told)
    trace_(std::string_view(tree_.text).substr(node.begin, node.end - node.begin), **held);
  return held;
}

Result<Held> Evaluation::eval_node(const Node& node) {
  switch (node.kind) {
    case Kind::kLiteral:
      return Held(&node.literal);
    case Kind::kPath:
      return eval_path(node);
    case Kind::kEnv: {
      doc::Value all = variables_below(scope_, "");
      TIPHYS_CHECK_OK(charge(all));
      return Held(std::move(all));
    }
    case Kind::kVariable:
      return Held(&*slots_[node.slot]);
    case Kind::kPointer:
      return eval_pointer(node);
    case Kind::kUnary:
      return eval_unary(node);
    case Kind::kBinary:
      return eval_binary(node);
    case Kind::kConditional: {
      TIPHYS_TRY(const bool condition, eval_bool(*node.children[0], "a condition"));
      return eval(*node.children[condition ? 1 : 2]);
    }
    case Kind::kMember:
      return eval_member(node);
    case Kind::kChain: {
      TIPHYS_TRY(Held held, eval(*node.children[0]));
      held.cut = false;
      return held;
    }
    case Kind::kSlice:
      return eval_slice(node);
    case Kind::kArray:
      return eval_array(node);
    case Kind::kMap:
      return eval_map(node);
    case Kind::kLet:
      return eval_let(node);
    case Kind::kSequence: {
      for (std::size_t i = 0; i + 1 < node.children.size(); ++i) TIPHYS_CHECK_OK(eval(*node.children[i]));
      return eval(*node.children.back());
    }
    case Kind::kPredicate:
      return eval(*node.children[0]);
    case Kind::kCall:
      return eval_call(node);
    case Kind::kMethod:
      return eval_method(node);
    case Kind::kCollect:
      return collect(node);
    case Kind::kUndefined:
      return undefined(node);
  }
  return Held();
}

Result<Held> Evaluation::eval_path(const Node& node) {
  Variable variable = find_variable(scope_, node.names);
  Held held;  // nil for a name that the scope does not know, where the checker has let it pass
  std::size_t next = std::max<std::size_t>(variable.length, 1);
  if (const auto* value = std::get_if<const doc::Value*>(&variable.found)) {
    if (*value) held = Held(*value);
    // A map without the next part gives nil for it.
    if (!*value && variable.length > 0) ++next;
  } else if (const auto* text = std::get_if<const std::string*>(&variable.found)) {
    held = Held(doc::Value(**text));
    TIPHYS_CHECK_OK(charge(*held));
  } else {
    held = Held(std::get<doc::Value>(std::move(variable.found)));
    TIPHYS_CHECK_OK(charge(*held));
  }
  for (; next < node.parts.size(); ++next) {
    if (held->is_object()) {
      const doc::Value* member = held->get_object().if_contains(node.parts[next]);
      if (!member) {
        held = Held();
      } else {
        held = held.borrowed() ? Held(member) : Held(doc::Value(*member));
      }
      continue;
    }
    return fail(Code::kInvalidArgument, "cannot fetch " + node.parts[next] + " from " + std::string(go_type(*held)) +
                                            suggest_variable(scope_, node.names.back()) +
                                            caret(tree_.text, node.offsets[next]));
  }
  return held;
}

Result<Held> Evaluation::eval_pointer(const Node& node) {
  if (pointers_.empty()) return error_at(node, "cannot use pointer accessor outside predicate");
  const Pointer& pointer = pointers_.back();
  if (node.text == "index") return Held(doc::Value(pointer.index));
  const doc::Value* value = node.text == "acc" ? pointer.accumulator : pointer.element;
  if (!value) return error_at(node, "unknown pointer #" + node.text);
  return Held(value);
}

Result<Held> Evaluation::eval_unary(const Node& node) {
  if (node.op == Op::kNot) {
    TIPHYS_TRY(const bool value, eval_bool(*node.children[0], "not"));
    return Held(doc::Value(!value));
  }
  TIPHYS_TRY(Held operand, eval(*node.children[0]));
  if (node.op == Op::kPlus) {
    return operand;  // of whatever type: the checker refuses what is known to be no number
  }
  auto negated = negate(*operand);
  if (!negated) return error_at(node, negated.error());
  return Held(std::move(*negated));
}

Result<Held> Evaluation::eval_logical(const Node& node) {
  // A constant decides, or leaves the other side as it is, before anything is evaluated.
  for (int side = 0; side < 2; ++side) {
    const Node& constant = *node.children[side];
    if (constant.kind != Kind::kLiteral || !constant.literal.is_bool()) continue;
    if (constant.literal.get_bool() == (node.op == Op::kOr)) return Held(&constant.literal);
    return eval(*node.children[1 - side]);
  }
  const std::string_view use = node.op == Op::kOr ? "||" : "&&";
  TIPHYS_TRY(const bool left, eval_bool(*node.children[0], use));
  if (left == (node.op == Op::kOr)) return Held(doc::Value(left));
  TIPHYS_TRY(const bool right, eval_bool(*node.children[1], use));
  return Held(doc::Value(right));
}

Result<Held> Evaluation::eval_binary(const Node& node) {
  if (node.op == Op::kOr || node.op == Op::kAnd) return eval_logical(node);
  TIPHYS_TRY(Held left, eval(*node.children[0]));
  if (node.op == Op::kCoalesce) {
    if (!left->is_null()) return left;
    return eval(*node.children[1]);
  }
  TIPHYS_TRY(const Held right, eval(*node.children[1]));
  if (node.op == Op::kMatches) return eval_matches(node, *left, *right);
  auto result = apply_binary(node.op, *left, *right);
  if (!result) return error_at(node, result.error());
  if (!result->is_bool()) TIPHYS_CHECK_OK(charge(*result));
  return Held(std::move(*result));
}

Result<Held> Evaluation::eval_matches(const Node& node, const doc::Value& left, const doc::Value& right) {
  if (left.is_null() || right.is_null()) return Held(doc::Value(false));
  if (!left.is_string() || !right.is_string()) {
    return error_at(node,
                    "invalid operation: " + std::string(go_type(left)) + " matches " + std::string(go_type(right)));
  }
  std::string_view text = left.get_string();
  std::string well_formed;
  if (!doc::is_utf8(text)) text = well_formed = doc::to_utf8(text);  // RE2 matches nothing there, Go's does
  if (node.pattern) return Held(doc::Value(RE2::PartialMatch(text, *node.pattern)));
  const RE2 pattern(std::string(right.get_string()), RE2::Quiet);
  if (!pattern.ok()) return error_at(node, "error parsing regexp: " + pattern.error());
  return Held(doc::Value(RE2::PartialMatch(text, pattern)));
}

Result<Held> Evaluation::eval_member(const Node& node) {
  TIPHYS_TRY(Held base, eval(*node.children[0]));
  if (base.cut) return base;
  if (node.optional && base->is_null()) {
    Held nothing;
    nothing.cut = true;
    return nothing;
  }
  TIPHYS_TRY(const Held property, eval(*node.children[1]));
  if (base->is_string() || go_bytes(*base)) {
    auto byte = fetch(base.take(), *property);
    if (!byte) return error_at(node, byte.error());
    return Held(std::move(*byte));
  }
  auto member = fetch_reference(*base, *property);
  if (!member) return error_at(node, member.error());
  return base.borrowed() ? Held(*member) : Held(doc::Value(**member));
}

Result<Held> Evaluation::eval_slice(const Node& node) {
  TIPHYS_TRY(const Held base, eval(*node.children[0]));
  Held bounds[2];
  const doc::Value* values[2] = {};
  for (int i = 0; i < 2; ++i) {
    if (!node.children[i + 1]) continue;
    TIPHYS_TRY(bounds[i], eval(*node.children[i + 1]));
    values[i] = &*bounds[i];
  }
  auto part = slice(*base, values[0], values[1]);
  if (!part) return error_at(node, part.error());
  TIPHYS_CHECK_OK(charge(*part));
  return Held(std::move(*part));
}

Result<Held> Evaluation::eval_array(const Node& node) {
  doc::Array array;
  array.reserve(node.children.size());
  for (const Node* child : node.children) {
    TIPHYS_TRY(doc::Value element, eval_owned(*child));
    array.push_back(std::move(element));
  }
  return Held(doc::Value(std::move(array)));
}

Result<Held> Evaluation::eval_map(const Node& node) {
  doc::Object map;
  for (std::size_t i = 0; i < node.children.size(); i += 2) {
    TIPHYS_TRY(const Held key, eval(*node.children[i]));
    if (!key->is_string()) {
      return error_at(*node.children[i], "a map key must be a string, not " + std::string(go_type(*key)));
    }
    TIPHYS_TRY(doc::Value value, eval_owned(*node.children[i + 1]));
    map.emplace(key->get_string(), std::move(value));  // the first of the same name stays
  }
  return Held(doc::Value(std::move(map)));
}

Result<Held> Evaluation::eval_let(const Node& node) {
  TIPHYS_TRY(doc::Value value, eval_owned(*node.children[0]));
  slots_[node.slot] = Held(std::move(value));
  TIPHYS_TRY(doc::Value result, eval_owned(*node.children[1]));
  return Held(std::move(result));
}

Result<Held> Evaluation::eval_call(const Node& node) {
  std::vector<Held> held;
  std::vector<const doc::Value*> arguments;
  held.reserve(node.children.size());
  for (const Node* child : node.children) {
    TIPHYS_TRY(Held argument, eval(*child));
    held.push_back(std::move(argument));
    arguments.push_back(&*held.back());
  }
  const Function& function = *node.function;
  if (function.call_with && !scope_.ambient()) {
    return error_at(node, node.text + " needs a clock or chance, which is not to be had here");
  }
  steps_ += function.steps;
  if (steps_ > kMostSteps) return fail(Code::kResourceExhausted, "the expression takes too many steps");
  auto result = function.call_with ? function.call_with(arguments, *scope_.ambient()) : function.call(arguments);
  if (!result) return error_at(node, result.error());
  TIPHYS_CHECK_OK(charge(*result));
  return Held(std::move(*result));
}

Result<Held> Evaluation::eval_method(const Node& node) {
  TIPHYS_TRY(Held base, eval(*node.children[0]));
  if (base.cut) return base;
  if (node.optional && base->is_null()) {
    Held nothing;
    nothing.cut = true;
    return nothing;
  }
  std::vector<Held> held;
  std::vector<const doc::Value*> arguments;
  held.reserve(node.children.size());
  for (const Node* child : std::span(node.children).subspan(1)) {
    TIPHYS_TRY(Held argument, eval(*child));
    held.push_back(std::move(argument));
    arguments.push_back(&*held.back());
  }
  auto result = call_method(*base, node.text, arguments);
  if (!result) return error_at(node, result.error());
  TIPHYS_CHECK_OK(charge(*result));
  return Held(std::move(*result));
}

Result<Held> Evaluation::undefined(const Node& node) const {
  constexpr std::string_view kSprig = "sprig.";
  const std::string_view name = node.text;
  if (name.starts_with(kSprig)) return error_at(node, explain_sprig_function(name.substr(kSprig.size())));
  return error_at(node, "unknown name " + node.text + suggest_function(name));
}

namespace {

/// The kind of the first part of a path, as the checker knows it.
StaticKind root_kind(const Node& path, const Scope& scope) {
  const std::string& root = path.parts[0];
  if (path.parts.size() > 1 && scope.text(path.names.back())) return StaticKind::kMap;
  const Variable variable = find_variable(scope, {root});
  if (variable.length == 0) return StaticKind::kMissing;
  if (const auto* value = std::get_if<const doc::Value*>(&variable.found)) return static_kind(**value);
  return std::holds_alternative<const std::string*>(variable.found) ? StaticKind::kString : StaticKind::kMap;
}

/// Errors that an expression has in this scope whether or not the places are evaluated.
Status check(const Tree& tree, const Scope& scope) {
  std::vector<StaticKind> roots(tree.paths.size());
  std::uint64_t signature = 1;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    const Node& path = *tree.paths[i];
    if (path.kind != Kind::kPath) continue;
    roots[i] = root_kind(path, scope);
    signature = signature * 31 + static_cast<std::uint64_t>(roots[i]) + 1;
  }
  if (tree.checked.load(std::memory_order_relaxed) == signature) return {};
  TIPHYS_CHECK_OK(check_types(tree, roots, [&](std::string_view name) { return suggest_variable(scope, name); }));
  tree.checked.store(signature, std::memory_order_relaxed);
  return {};
}

}  // namespace

Result<doc::Value> evaluate(const Tree& tree, const Scope& scope, const Trace& trace) {
  TIPHYS_CHECK_OK(check(tree, scope));
  Evaluation evaluation(tree, scope, trace);
  TIPHYS_TRY(Held held, evaluation.eval(*tree.root));
  return held.take();
}

}  // namespace tiphys::expr
