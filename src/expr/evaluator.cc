#include "expr/evaluator.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <span>

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

std::uint64_t weight(const doc::Value& value) {
  std::uint64_t total = sizeof(doc::Value);
  if (const auto* string = value.if_string()) {
    total += string->size();
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) {
      total += element.is_structured() || element.is_string() ? weight(element) : sizeof(doc::Value);
    }
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) total += 32 + member.key().size() + weight(member.value());
  }
  return total;
}

}  // namespace

Held Evaluation::fail_with(Error error) {
  error_ = std::move(error);
  return Held::failure();
}
Held Evaluation::error_at(const Node& node, const Error& error) {
  return fail_with({error.code, error.message + caret(tree_.text, node.offset)});
}
Held Evaluation::error_at(const Node& node, std::string message) {
  return error_at(node, Error{Code::kInvalidArgument, std::move(message)});
}

void Evaluation::drop_more_until(const doc::Value* value) {
  while (last_made() != value) made_.pop_front();
}

bool Evaluation::exceeds_memory() {
  fail_with({Code::kResourceExhausted, "memory budget exceeded"});
  return false;
}

bool Evaluation::exceeds_steps() {
  fail_with({Code::kResourceExhausted, "the expression takes too many steps"});
  return false;
}

bool Evaluation::charge(const doc::Value& value) {
  return charge(weight(value));
}

bool Evaluation::own(const Held& held, doc::Value& place) {
  held.move_to(place);
  if (held.is_in_place()) return charge(sizeof(doc::Value));
  return held.kind() == Held::Kind::kMade || charge(place);
}

bool Evaluation::eval_to(const Node& node, doc::Value& place) {
  const Held held = eval(node);
  return !held.failed() && own(held, place);
}

Held Evaluation::keep(doc::Value&& value) {
  const Held held(&value);
  return held.is_in_place() ? held : Held::made(&made_.emplace_front(std::move(value)));
}

Held Evaluation::keep_charged(doc::Value&& value) {
  const Held held(&value);
  if (held.is_in_place()) return held;
  return charge(value) ? Held::made(&made_.emplace_front(std::move(value))) : Held::failure();
}

Held Evaluation::eval_bool(const Node& node, std::string_view use) {
  const Held held = eval(node);
  if (held.is_bool() || held.failed()) return held;
  return error_at(node, std::string(use) + " needs a bool, not " + std::string(go_type(*Operand(held))));
}

Held Evaluation::eval_traced(const Node& node) {
  const Held held = eval_node(node);
  const bool told = node.kind == Kind::kLiteral || node.kind == Kind::kPredicate || node.kind == Kind::kChain;
  if (!held.failed() && !held.is_cut() && !told)
    trace_(std::string_view(tree_.text).substr(node.begin, node.end - node.begin), *Operand(held));
  return held;
}

Held Evaluation::eval_node(const Node& node) {
  switch (node.kind) {
    case Kind::kLiteral:
      return node.given;
    case Kind::kPath:
      return eval_path(node);
    case Kind::kEnv:
      return keep_charged(variables_below(scope_, ""));
    case Kind::kVariable:
      return slots_[node.slot];
    case Kind::kPointer:
      return eval_pointer(node);
    case Kind::kUnary:
      return eval_unary(node);
    case Kind::kBinary:
      return eval_binary(node);
    case Kind::kConditional: {
      const Held condition = eval_bool(*node.children[0], "a condition");
      if (condition.failed()) return condition;
      return eval(*node.children[condition.get_bool() ? 1 : 2]);
    }
    case Kind::kMember:
      return eval_member(node);
    case Kind::kChain: {
      const Held held = eval(*node.children[0]);
      return held.is_cut() ? Held() : held;
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
      for (std::size_t i = 0; i + 1 < node.children.size(); ++i) {
        const Held held = eval(*node.children[i]);
        if (held.failed()) return held;
      }
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

Held Evaluation::eval_path(const Node& node) {
  const auto& [whole, root] = found_[node.slot];
  if (whole.value) return Held(whole.value);
  if (whole.text && (root == StaticKind::kString || !scope_.has_below(node.names.back()))) return Held(whole.text);
  Variable variable = find_variable(scope_, node.names);
  Held held;  // nil for a name that the scope does not know, where the checker has let it pass
  std::size_t next = std::max<std::size_t>(variable.length, 1);
  if (const auto* value = std::get_if<const doc::Value*>(&variable.found)) {
    if (*value) held = Held(*value);
    // A map without the next part gives nil for it.
    if (!*value && variable.length > 0) ++next;
  } else if (const auto* text = std::get_if<const std::string*>(&variable.found)) {
    held = Held(*text);
  } else {
    held = keep_charged(std::get<doc::Value>(std::move(variable.found)));
    if (held.failed()) return held;
  }
  for (; next < node.parts.size(); ++next) {
    const doc::Object* object = held.value() ? held.value()->if_object() : nullptr;
    if (!object) {
      return fail_with({Code::kInvalidArgument,
                        "cannot fetch " + node.parts[next] + " from " + std::string(go_type(*Operand(held))) +
                            suggest_variable(scope_, node.names.back()) + caret(tree_.text, node.offsets[next])});
    }
    const doc::Value* member = object->if_contains(node.parts[next]);
    held = member ? Held(member) : Held();
  }
  return held;
}

Held Evaluation::eval_pointer(const Node& node) {
  if (!pointer_) return error_at(node, "cannot use pointer accessor outside predicate");
  if (node.text.empty()) return pointer_->element;
  if (node.text == "index") return Held(pointer_->index);
  if (node.text != "acc" || !pointer_->accumulator) return error_at(node, "unknown pointer #" + node.text);
  return Held(pointer_->accumulator);
}

Held Evaluation::eval_unary(const Node& node) {
  if (node.op == Op::kNot) {
    const Held truth = eval_bool(*node.children[0], "not");
    return truth.failed() ? truth : Held(!truth.get_bool());
  }
  const Held held = eval(*node.children[0]);
  if (held.failed()) return held;
  if (node.op == Op::kPlus) return held;  // of whatever type: the checker refuses what is known to be no number
  auto negated = negate(*Operand(held));
  if (!negated) return error_at(node, negated.error());
  return keep(std::move(*negated));
}

Held Evaluation::eval_logical(const Node& node) {
  // A constant decides, or leaves the other side as it is, before anything is evaluated.
  for (int side = 0; side < 2; ++side) {
    const Node& constant = *node.children[side];
    if (!constant.constant || !constant.literal.is_bool()) continue;
    if (constant.literal.get_bool() == (node.op == Op::kOr)) return constant.given;
    return eval(*node.children[1 - side]);
  }
  const std::string_view use = node.op == Op::kOr ? "||" : "&&";
  const Held left = eval_bool(*node.children[0], use);
  if (left.failed() || left.get_bool() == (node.op == Op::kOr)) return left;
  return eval(*node.children[1]);  // whatever it is: the checker refuses what is known to be no boolean
}

Held Evaluation::eval_binary(const Node& node) {
  if (node.op == Op::kOr || node.op == Op::kAnd) return eval_logical(node);
  const Held left = eval(*node.children[0]);
  if (left.failed()) return left;
  if (node.op == Op::kCoalesce) {
    if (!left.is_null()) return left;
    return eval(*node.children[1]);
  }
  const Held right = eval(*node.children[1]);
  if (right.failed()) return right;
  return apply(node.op, left, right, node);
}

Held Evaluation::apply_otherwise(Op op, Held left, Held right, const Node& node) {
  const auto of_values = [&]() -> Held {
    auto result = apply_binary(op, *Operand(left), *Operand(right));
    if (!result) return error_at(node, result.error());
    return keep_charged(std::move(*result));
  };
  if (left.is_number() && right.is_number()) {
    return apply_to_floats<Held>(op, left.to_float(), right.to_float(), of_values);
  }
  if ((op == Op::kEqual || op == Op::kNotEqual) && left.is_string() && right.is_string()) {
    return Held((left.get_string() == right.get_string()) == (op == Op::kEqual));
  }
  if (op == Op::kMatches) return eval_matches(node, left, right);
  return of_values();
}

Held Evaluation::eval_matches(const Node& node, Held left, Held right) {
  if (left.is_null() || right.is_null()) return Held(false);
  if (!left.is_string() || !right.is_string()) {
    return error_at(node, "invalid operation: " + std::string(go_type(*Operand(left))) + " matches " +
                              std::string(go_type(*Operand(right))));
  }
  std::string_view text = left.get_string();
  std::string well_formed;
  if (!doc::is_utf8(text)) text = well_formed = doc::to_utf8(text);  // RE2 matches nothing there, Go's does
  if (node.pattern) return Held(RE2::PartialMatch(text, *node.pattern));
  const RE2 pattern(std::string(right.get_string()), RE2::Quiet);
  if (!pattern.ok()) return error_at(node, "error parsing regexp: " + pattern.error());
  return Held(RE2::PartialMatch(text, pattern));
}

Held Evaluation::eval_member(const Node& node) {
  const Held held = eval(*node.children[0]);
  if (held.failed()) return held;
  if (held.is_cut()) return held;
  if (node.optional && held.is_null()) return Held::cut();
  const Held property = eval(*node.children[1]);
  if (property.failed()) return property;
  const doc::Value* base = held.value();
  if (!base || held.is_string() || go_bytes(*base)) {
    auto byte = fetch(held.copy(), *Operand(property));
    if (!byte) return error_at(node, byte.error());
    return keep(std::move(*byte));
  }
  auto member = fetch_reference(*base, *Operand(property));
  if (!member) return error_at(node, member.error());
  return Held(*member);
}

Held Evaluation::eval_slice(const Node& node) {
  const Held base = eval(*node.children[0]);
  if (base.failed()) return base;
  std::optional<Operand> bounds[2];
  const doc::Value* values[2] = {};
  for (int i = 0; i < 2; ++i) {
    if (!node.children[i + 1]) continue;
    const Held bound = eval(*node.children[i + 1]);
    if (bound.failed()) return bound;
    values[i] = &*bounds[i].emplace(bound);
  }
  auto part = slice(*Operand(base), values[0], values[1]);
  if (!part) return error_at(node, part.error());
  return keep_charged(std::move(*part));
}

Held Evaluation::eval_array(const Node& node) {
  doc::Array array(node.children.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (!eval_to(*node.children[i], array[i])) return Held::failure();
  }
  return keep(std::move(array));
}

Held Evaluation::eval_map(const Node& node) {
  doc::Object map;
  for (std::size_t i = 0; i < node.children.size(); i += 2) {
    const Held key = eval(*node.children[i]);
    if (key.failed()) return key;
    if (!key.is_string()) {
      return error_at(*node.children[i], "a map key must be a string, not " + std::string(go_type(*Operand(key))));
    }
    doc::Value value;
    if (!eval_to(*node.children[i + 1], value)) return Held::failure();
    map.emplace(key.get_string(), std::move(value));  // the first of the same name stays
  }
  return keep(std::move(map));
}

Held Evaluation::eval_let(const Node& node) {
  doc::Value value;
  if (!eval_to(*node.children[0], value)) return Held::failure();
  slots_[node.slot] = keep(std::move(value)).borrow();
  return eval(*node.children[1]);
}

/// Arguments of a call.
class Evaluation::Operands {
 public:
  Operands(Evaluation& evaluation, std::span<const Node* const> nodes) : evaluation_(evaluation), nodes_(nodes) {}

  bool eval() {
    operands_.reserve(nodes_.size());
    for (const Node* node : nodes_) {
      const Held held = evaluation_.eval(*node);
      if (held.failed()) return false;
      values_.push_back(&*operands_.emplace_back(held));
    }
    return true;
  }
  Arguments values() const { return values_; }

 private:
  static constexpr std::size_t kFew = 4;

  Evaluation& evaluation_;
  std::span<const Node* const> nodes_;
  boost::container::small_vector<Operand, kFew> operands_;
  boost::container::small_vector<const doc::Value*, kFew> values_;
};

Held Evaluation::eval_call(const Node& node) {
  if (node.function->in_place) {
    Held held = eval(*node.children[0]);
    if (held.failed() || node.function->in_place(held)) return held;
    const Operand operand(held);
    const doc::Value* const argument = &*operand;
    return call(node, Arguments(&argument, 1));
  }
  Operands arguments(*this, node.children);
  return arguments.eval() ? call(node, arguments.values()) : Held::failure();
}

Held Evaluation::call(const Node& node, Arguments arguments) {
  const Function& function = *node.function;
  if (function.call_with && !scope_.ambient()) {
    return error_at(node, node.text + " needs a clock or chance, which is not to be had here");
  }
  if (!step(function.steps)) return Held::failure();
  auto result = function.call_with ? function.call_with(arguments, *scope_.ambient()) : function.call(arguments);
  if (!result) return error_at(node, result.error());
  return keep_charged(std::move(*result));
}

Held Evaluation::eval_method(const Node& node) {
  const Held base = eval(*node.children[0]);
  if (base.failed()) return base;
  if (base.is_cut()) return base;
  if (node.optional && base.is_null()) return Held::cut();
  Operands arguments(*this, std::span(node.children).subspan(1));
  if (!arguments.eval()) return Held::failure();
  auto result = call_method(*Operand(base), node.text, arguments.values());
  if (!result) return error_at(node, result.error());
  return keep_charged(std::move(*result));
}

Held Evaluation::undefined(const Node& node) {
  constexpr std::string_view kSprig = "sprig.";
  const std::string_view name = node.text;
  if (name.starts_with(kSprig)) return error_at(node, explain_sprig_function(name.substr(kSprig.size())));
  return error_at(node, "unknown name " + node.text + suggest_function(name));
}

namespace {

/// Errors that an expression has in this scope whether or not the places are evaluated.
Status check(const Tree& tree, const Scope& scope, const FoundVariables& found) {
  std::uint64_t signature = 1;
  for (const FoundVariable& variable : found) {
    signature = signature * 31 + static_cast<std::uint64_t>(variable.root) + 1;
  }
  if (tree.checked.load(std::memory_order_relaxed) == signature) return {};
  std::vector<StaticKind> roots;
  for (const FoundVariable& variable : found) roots.push_back(variable.root);
  TIPHYS_CHECK_OK(check_types(tree, roots, [&](std::string_view name) { return suggest_variable(scope, name); }));
  tree.checked.store(signature, std::memory_order_relaxed);
  return {};
}

}  // namespace

Result<doc::Value> evaluate(const Tree& tree, const Scope& scope, const Trace& trace) {
  const FoundVariables found = find_variables(tree, scope);
  TIPHYS_CHECK_OK(check(tree, scope, found));
  Evaluation evaluation(tree, scope, found, trace);
  const Held held = evaluation.eval(*tree.root);
  if (held.failed()) return std::unexpected(evaluation.error());
  return held.result();
}

}  // namespace tiphys::expr
