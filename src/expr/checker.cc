#include <re2/re2.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "expr/ast.h"
#include "expr/checker_types.h"
#include "expr/functions.h"
#include "expr/go_value.h"
#include "expr/position.h"
#include "expr/static_type.h"

namespace tiphys::expr {
namespace {

using Kind = Node::Kind;
using enum StaticKind;

class Checker {
 public:
  Checker(const Tree& tree, std::span<const StaticKind> roots, const SuggestName& suggest)
      : tree_(tree), roots_(roots), suggest_(suggest), locals_(tree.slots) {}

  Status run() {
    visit(*tree_.root);
    for (const Node& node : tree_.nodes) check_division(node);
    for (const Node& node : tree_.nodes) check_pattern(node);
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  /// The innermost # and what else its predicate knows.
  struct Pointer {
    Type collection;
    bool index, accumulator;
  };

  Type error(const Node& node, std::string message) {
    if (!error_) error_ = Error{Code::kInvalidArgument, std::move(message) + caret(tree_.text, node.offset)};
    return {};
  }

  Type array_of(const Type& element) { return {kArray, &elements_.emplace_back(element)}; }
  /// The same, as functions see it.
  static Type without_elements(const Type& type) { return type.is(kArray) && !type.typed ? Type{kArray} : type; }
  static Type element_of(const Type& type) {
    if (type.is(kArray) && type.element) return *type.element;
    if (type.is(kBytes)) return {kInt};
    if (type.is(kAnyMap)) return {kArray};
    return {};
  }

  Type visit(const Node& node) {
    switch (node.kind) {
      case Kind::kLiteral:
        return {static_kind(node.literal)};
      case Kind::kPath:
        return visit_path(node);
      case Kind::kEnv:
        return {};
      case Kind::kVariable:
        return locals_[node.slot];
      case Kind::kPointer:
        return visit_pointer(node);
      case Kind::kUnary:
        return visit_unary(node);
      case Kind::kBinary:
        return visit_binary(node);
      case Kind::kConditional:
        return visit_conditional(node);
      case Kind::kMember:
        return visit_member(node);
      case Kind::kChain:
      case Kind::kPredicate:
        return visit(*node.children[0]);
      case Kind::kSlice:
        return visit_slice(node);
      case Kind::kArray:
        return visit_array(node);
      case Kind::kMap:
        for (const Node* child : node.children) visit(*child);
        return {kMap};
      case Kind::kLet: {
        const Type value = visit(*node.children[0]);
        locals_[node.slot] = value;
        return visit(*node.children[1]);
      }
      case Kind::kSequence: {
        Type last;
        for (const Node* child : node.children) last = visit(*child);
        return last;
      }
      case Kind::kCall:
        return visit_call(node);
      case Kind::kMethod:
        return visit_method(node);
      case Kind::kCollect:
        return visit_collect(node);
      case Kind::kUndefined:
        return node.text.starts_with("sprig.") ? Type{}
                                               : error(node, "unknown name " + node.text + suggest_function(node.text));
    }
    return {};
  }

  Type visit_path(const Node& node) {
    Type type{roots_[node.slot]};
    if (type.is(kMissing)) return error(node, "unknown name " + node.parts[0] + suggest_(node.names.back()));
    for (std::size_t i = 1; i < node.parts.size(); ++i) {
      if (type.unknown()) return {};
      type = named_member(node, type, node.parts[i]);
    }
    return type;
  }

  /// base.name
  Type named_member(const Node& node, const Type& base, const std::string& name) {
    if (base.map()) return element_of(base);
    if (base.is(kNil)) return error(node, "type nil has no field " + name);
    if (base.array()) return error(node, "array elements can only be selected using an integer (got string)");
    return error(node, "type " + name_of(base) + " has no field " + name);
  }

  Type visit_pointer(const Node& node) {
    if (pointers_.empty()) return error(node, "cannot use pointer accessor outside predicate");
    const Pointer& pointer = pointers_.back();
    if (node.text.empty()) return element_of(pointer.collection);
    if (node.text == "index" && pointer.index) return {kInt};
    if (node.text == "acc" && pointer.accumulator) return {};
    return error(node, "unknown pointer #" + node.text);
  }

  Type visit_unary(const Node& node) {
    const Type type = visit(*node.children[0]);
    if (node.op == Op::kNot) {
      if (type.is(kBool) || type.unknown()) return {kBool};
    } else if (type.number() || type.unknown()) {
      return type;
    }
    return error(node,
                 "invalid operation: " + std::string(op_text(node.op)) + " (mismatched type " + name_of(type) + ")");
  }

  Type visit_binary(const Node& node) {
    const Type left = visit(*node.children[0]);
    const Type right = visit(*node.children[1]);
    if (node.op == Op::kIn) return visit_in(node, left, right);
    if (const auto type = binary_type(node.op, left, right)) return *type;
    return error(node, "invalid operation: " + std::string(op_text(node.op)) + " (mismatched types " + name_of(left) +
                           " and " + name_of(right) + ")");
  }

  /// Compiled beforehand wherever it stands.
  void check_pattern(const Node& node) {
    if (node.kind != Kind::kBinary || node.op != Op::kMatches || node.pattern) return;
    const Node& text = *node.children[1];
    if (text.kind != Kind::kLiteral || !text.literal.is_string()) return;
    error(node, "error parsing regexp: " + RE2(std::string(text.literal.get_string()), RE2::Quiet).error());
  }

  /// Constants are divided beforehand wherever they stand.
  void check_division(const Node& node) {
    if (node.kind != Kind::kBinary || node.op != Op::kModulo) return;
    const doc::Value& divisor = node.children[1]->literal;
    const bool constants = std::ranges::all_of(
        node.children, [](const Node* child) { return child->constant && child->literal.is_int64(); });
    if (constants && divisor.get_int64() == 0) error(node, "integer divide by zero");
  }

  Type visit_in(const Node& node, const Type& left, const Type& right) {
    if (right.is(kTime) && (left.is(kString) || left.unknown())) return {kBool};
    if (right.map()) {
      if (left.unknown() || left.is(kString) || right.is(kAnyMap)) return {kBool};
      return error(node, "cannot use " + name_of(left) + " as type string in map key");
    }
    if (right.array()) {
      const Type element = element_of(right);
      if (comparable(left, element)) return {kBool};
      return error(node, "cannot use " + name_of(left) + " as type " + name_of(element) + " in array");
    }
    if (right.unknown() || (left.unknown() && right.is(kString))) return {kBool};
    return error(node, "invalid operation: in (mismatched types " + name_of(left) + " and " + name_of(right) + ")");
  }

  Type visit_conditional(const Node& node) {
    const Type condition = visit(*node.children[0]);
    if (!condition.is(kBool) && !condition.unknown()) {
      return error(*node.children[0], "non-bool expression (type " + name_of(condition) + ") used as condition");
    }
    const Type then = visit(*node.children[1]);
    const Type other = visit(*node.children[2]);
    if (then.is(kNil)) return other;
    if (other.is(kNil)) return then;
    if (!assignable(then, other)) return {};
    if (!then.is(kArray)) return then;
    const Type a = element_of(then), b = element_of(other);
    return assignable(a, b) && assignable(b, a) ? then : Type{kArray};
  }

  Type visit_member(const Node& node) {
    const Type base = visit(*node.children[0]);
    const Node& property_node = *node.children[1];
    const Type property = visit(property_node);
    // Names with dots are no variables here: those of the scope are nested maps.
    const bool named = property_node.kind == Kind::kLiteral && property_node.literal.is_string();
    if (node.children[0]->kind == Kind::kEnv && named && !node.optional) {
      return error(node, "unknown name " + std::string(property_node.literal.get_string()));
    }
    if (base.unknown()) return {};
    if (named) {
      return named_member(property_node, base, std::string(property_node.literal.get_string()));
    }
    if (base.map()) {
      if (property.unknown() || property.is(kString) || base.is(kAnyMap)) return element_of(base);
      return error(property_node, "cannot use " + name_of(property) + " to get an element from " + name_of(base));
    }
    if (base.array()) {
      if (property.unknown() || property.integer()) return element_of(base);
      return error(property_node,
                   "array elements can only be selected using an integer (got " + name_of(property) + ")");
    }
    return error(node, "type " + name_of(base) + "[" + name_of(property) + "] is undefined");
  }

  Type visit_slice(const Node& node) {
    const Type base = visit(*node.children[0]);
    if (base.unknown()) return {};
    if (!base.is(kString) && !base.array()) return error(node, "cannot slice " + name_of(base));
    for (const Node* bound : {node.children[1], node.children[2]}) {
      if (!bound) continue;
      const Type type = visit(*bound);
      if (!type.integer() && !type.unknown()) return error(*bound, "non-integer slice index " + name_of(type));
    }
    return base;
  }

  Type visit_array(const Node& node) {
    Type previous;
    bool same = true;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Type current = visit(*node.children[i]);
      if (i > 0 && current.kind != previous.kind) same = false;
      previous = current;
    }
    return same ? array_of(previous) : Type{kArray};
  }

  Type visit_call(const Node& node) {
    // To the checker sprig is a map of anything: it looks into no argument, where an unknown name is nil.
    if (node.text.starts_with("sprig.")) return {};
    std::vector<Type> arguments;
    for (const Node* child : node.children) arguments.push_back(visit(*child));
    const std::string& name = node.text;
    if (arguments.empty()) return {node.function->result};
    const Type& first = arguments[0];
    const auto refuse = [&](std::string_view what) {
      return error(node, std::string(what) + (first.is(kNil) ? "%!s(<nil>)" : name_of(first)));
    };
    if (name == "first" || name == "last") {
      if (!first.array() && !first.unknown()) return refuse("cannot get " + name + " element from ");
      return element_of(without_elements(first));
    }
    if (name == "get") return visit_get(node, first, arguments[1]);
    if (!check_parameters(node, arguments)) return {};
    if (name == "split" || name == "splitAfter") return {kArray, &kStringType, true};
    if (name == "sort" && !first.unknown() && !first.array()) {
      return error(*node.children[0], "cannot use " + (first.is(kNil) ? "nil" : name_of(first)) +
                                          " as argument (type []int) to call sort");
    }
    if (name == "len") {
      const bool fits = first.unknown() || first.array() || first.map() || first.is(kString);
      if (!fits) return error(node, "invalid argument for len (type " + name_of(first) + ")");
    }
    if (name == "max" || name == "min" || name == "mean" || name == "median") {
      for (const Type& argument : arguments) {
        if (argument.unknown() || argument.array()) return {};
        if (argument.number() || argument.of_integer()) continue;
        return error(node, "invalid argument for " + name + " (type " + name_of(argument) + ")");
      }
      return first;
    }
    const bool of_number = name == "ceil" || name == "floor" || name == "round" || name == "abs";
    const bool of_text_too = name == "int" || name == "float";
    if ((of_number || of_text_too) && !first.unknown() && !first.number() && !first.of_integer() &&
        !(of_text_too && first.is(kString))) {
      return error(node, "invalid argument for " + name + " (type " + name_of(first) + ")");
    }
    if (name == "abs") return first;
    for (const Wanted& wanted : kWanted) {
      if (wanted.function != name || first.unknown() || (wanted.map ? first.map() : first.array())) continue;
      return refuse(wanted.refusal);
    }
    if (name == "take") return without_elements(first);
    return {node.function->result};
  }

  Type visit_get(const Node& node, const Type& base, const Type& property) {
    const Node& place = *node.children[1];
    if (node.children[0]->kind == Kind::kEnv || base.unknown()) return {};
    if (base.array()) {
      if (property.integer() || property.unknown()) return element_of(base);
      return error(place, "non-integer slice index " + name_of(property));
    }
    if (base.map()) {
      if (property.is(kString) || property.unknown() || base.is(kAnyMap)) return element_of(base);
      return error(place, "cannot use " + name_of(property) + " to get an element from " + name_of(base));
    }
    return error(*node.children[0], "type " + name_of(base) + " does not support indexing");
  }

  Type visit_method(const Node& node) {
    const Type base = visit(*node.children[0]);
    // A function in a map would be called; none is there.
    if (base.unknown() || base.map()) return {};
    for (const Node* argument : std::span(node.children).subspan(1)) visit(*argument);
    if (const auto result = method_result(base.kind, node.text)) return {*result};
    return error(node, "type " + name_of(base) + " has no method " + node.text);
  }

  Type visit_collect(const Node& node) {
    const std::string_view name = node.text;
    const Type collection = visit(*node.children[0]);
    if (!collection.array() && !collection.unknown()) {
      return error(*node.children[0], "builtin " + node.text + " takes only array (got " + name_of(collection) + ")");
    }
    if (node.children.size() == 1) return name == "sum" ? element_of(collection) : Type{kInt};
    const Node& predicate = *node.children[1];
    pointers_.push_back({collection, name == "map" || name == "reduce", name == "reduce"});
    const Type result = visit(predicate);
    pointers_.pop_back();
    if (node.children.size() > 2) {
      const Type third = visit(*node.children[2]);
      if (name == "sortBy" && !third.is(kString) && !third.unknown()) {
        return error(*node.children[2], "sortBy order argument must be a string (got " + name_of(third) + ")");
      }
    }
    if (result.is(kNil)) return error(predicate, "predicate should has one input and one output param");
    if (name == "sum" || name == "reduce") return result;
    if (name == "map") return array_of(result);
    if (name == "groupBy") return {kAnyMap};
    if (name == "sortBy") return collection;
    if (!result.is(kBool) && !result.unknown()) {
      return error(predicate, "predicate should return boolean (got " + name_of(result) + ")");
    }
    if (name == "filter") return array_of(element_of(collection));
    if (name == "find" || name == "findLast") return element_of(collection);
    return {name == "count" || name.ends_with("Index") ? kInt : kBool};
  }

  /// Of functions that take texts, integers and arrays: false, and an error, when an argument is known to be neither.
  bool check_parameters(const Node& node, const std::vector<Type>& arguments) {
    const auto* found = std::ranges::find(kParameters, node.text, &Parameters::function);
    if (found == std::end(kParameters)) return true;
    for (std::size_t i = 0; i < arguments.size() && i < found->kinds.size(); ++i) {
      const StaticKind wanted = found->kinds[i] == 's' ? kString : found->kinds[i] == 'i' ? kInt : kArray;
      if (arguments[i].unknown() || arguments[i].is(wanted)) continue;
      const std::string given = arguments[i].is(kNil) ? "nil" : name_of(arguments[i]);
      error(*node.children[i],
            "cannot use " + given + " as argument (type " + name_of({wanted}) + ") to call " + node.text);
      return false;
    }
    return true;
  }

  struct Parameters {
    std::string_view function;
    std::string_view kinds;  ///< s for a text, i for an integer, a for an array
  };
  static constexpr Parameters kParameters[] = {
      {"trim", "ss"},    {"trimPrefix", "ss"},  {"trimSuffix", "ss"}, {"upper", "s"},      {"lower", "s"},
      {"split", "ssi"},  {"splitAfter", "ssi"}, {"replace", "sssi"},  {"repeat", "si"},    {"indexOf", "ss"},
      {"join", "as"},    {"lastIndexOf", "ss"}, {"hasPrefix", "ss"},  {"hasSuffix", "ss"}, {"fromJSON", "s"},
      {"toBase64", "s"}, {"fromBase64", "s"},   {"duration", "s"},    {"timezone", "s"},
  };
  /// Functions of a map or an array.
  struct Wanted {
    std::string_view function;
    bool map;
    std::string_view refusal;
  };
  static constexpr Wanted kWanted[] = {
      {"keys", true, "cannot get keys from "}, {"values", true, "cannot get values from "},
      {"reverse", false, "cannot reverse "},   {"uniq", false, "cannot uniq "},
      {"concat", false, "cannot concat "},     {"flatten", false, "cannot flatten "},
      {"take", false, "cannot take from "},
  };
  static constexpr Type kStringType{kString};

  const Tree& tree_;
  std::span<const StaticKind> roots_;
  const SuggestName& suggest_;
  std::vector<Type> locals_;
  std::vector<Pointer> pointers_;
  std::deque<Type> elements_;
  std::optional<Error> error_;
};

}  // namespace

StaticKind static_kind(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return kNil;
    case boost::json::kind::bool_:
      return kBool;
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
      return kInt;
    case boost::json::kind::double_:
      return kFloat;
    case boost::json::kind::string:
      return kString;
    case boost::json::kind::array:
      return kArray;
    case boost::json::kind::object:
      break;
  }
  const auto kind = go_kind(value);
  return kind ? static_kind(*kind) : kMap;
}

Status check_types(const Tree& tree, std::span<const StaticKind> roots, const SuggestName& suggest) {
  return Checker(tree, roots, suggest).run();
}

}  // namespace tiphys::expr
