// One evaluation of a tree: the variables of lets and predicates, and what it may still use.
#pragma once

#include <cstdint>
#include <forward_list>
#include <string>
#include <vector>

#include "base/error.h"
#include "doc/value.h"
#include "expr/ast.h"
#include "expr/evaluator.h"
#include "expr/functions.h"
#include "expr/held.h"
#include "expr/number.h"
#include "expr/scope.h"
#include "expr/trace.h"
#include "expr/variables.h"

namespace tiphys::expr {

class Evaluation {
 public:
  Evaluation(const Tree& tree, const Scope& scope, const FoundVariables& found, const Trace& trace)
      : tree_(tree),
        scope_(scope),
        found_(found),
        trace_(trace),
        traced_(static_cast<bool>(trace)),
        slots_(tree.slots),
        steps_(tree.root->size) {}

  Held eval(const Node& node) {
    if (traced_) return eval_traced(node);
    if (node.constant) return node.given;
    // What most nodes are, without a call more.
    switch (node.kind) {
      case Node::Kind::kPointer:
        return node.text.empty() && pointer_ ? pointer_->element : eval_pointer(node);
      case Node::Kind::kBinary:
        return eval_binary(node);
      default:
        return eval_node(node);
    }
  }
  /// Counts nodes that are evaluated once more; false when there have been too many.
  bool step(std::uint64_t nodes) {
    steps_ += nodes;
    return steps_ <= kMostSteps || exceeds_steps();
  }
  /// A boolean, else an error.
  Held eval_bool(const Node& node, std::string_view use);
  /// Puts what a node gives into a value that lives on; false for an error.
  bool eval_to(const Node& node, doc::Value& place);
  bool own(const Held& held, doc::Value& place);
  /// Keeps a value until the evaluation ends.
  Held keep(doc::Value&& value);
  /// The same, and counts its memory.
  Held keep_charged(doc::Value&& value);
  const doc::Value* last_made() const { return made_.empty() ? nullptr : &made_.front(); }
  /// Forgets what was made after `value`.
  void drop_until(const doc::Value* value) {
    if (last_made() != value) drop_more_until(value);
  }
  /// A binary operator that needs both its operands; `node` is the place of errors.
  Held apply(Op op, Held left, Held right, const Node& node) {
    const auto otherwise = [&] { return apply_otherwise(op, left, right, node); };
    if (!left.is_int() || !right.is_int()) return otherwise();
    return apply_to_integers<Held>(op, left.get_int(), right.get_int(), otherwise);
  }

  /// The functions with predicates; see collect.cc.
  Held collect(const Node& node);

  /// Fails: the evaluation ends with this error.
  Held fail_with(Error error);
  Held error_at(const Node& node, const Error& error);
  Held error_at(const Node& node, std::string message);
  const Error& error() const { return error_; }
  /// Counts memory that a value takes; false when the evaluation has made too much.
  bool charge(const doc::Value& value);
  bool charge(std::uint64_t bytes) {
    memory_ += bytes;
    return memory_ <= kMostMemory || exceeds_memory();
  }

 private:
  static constexpr std::uint64_t kMostMemory = 64u << 20;
  static constexpr std::uint64_t kMostSteps = 4'000'000;

  struct Pointer {
    Held element;
    std::int64_t index = 0;
    const doc::Value* accumulator = nullptr;
  };
  struct Elements;
  class Collection;
  class Operands;

  Held eval_traced(const Node& node);
  Held eval_node(const Node& node);
  Held eval_path(const Node& node);
  Held eval_pointer(const Node& node);
  Held eval_unary(const Node& node);
  Held eval_binary(const Node& node);
  Held eval_logical(const Node& node);
  Held apply_otherwise(Op op, Held left, Held right, const Node& node);
  Held eval_matches(const Node& node, Held left, Held right);
  Held eval_member(const Node& node);
  Held eval_slice(const Node& node);
  Held eval_array(const Node& node);
  Held eval_map(const Node& node);
  Held eval_let(const Node& node);
  Held eval_call(const Node& node);
  Held call(const Node& node, Arguments arguments);
  Held eval_method(const Node& node);
  void drop_more_until(const doc::Value* value);
  bool exceeds_memory();
  bool exceeds_steps();
  Held undefined(const Node& node);

  /// What a function goes through. Fails, or gives what is of no interest.
  Held elements_of(const Node& node, std::string_view name, Elements& elements);
  Held array_of(const Node& node, std::string_view name, Held held, Elements& elements);
  Held collect_bools(const Node& node, Collection& collection);
  Held collect_found(const Node& node, Collection& collection);
  Held collect_mapped(Collection& collection);
  Held collect_filtered(Collection& collection);
  Held collect_summed(const Node& node, Collection& collection);
  Held collect_groups(const Node& node, Collection& collection);
  Held collect_sorted(const Node& node, Collection& collection);
  Held collect_reduced(const Node& node, Collection& collection);

  const Tree& tree_;
  const Scope& scope_;
  const FoundVariables& found_;
  const Trace& trace_;
  const bool traced_;
  std::vector<Held> slots_;
  std::forward_list<doc::Value> made_;  ///< what a Held may stand for, the last first
  const Pointer* pointer_ = nullptr;    ///< the innermost #
  std::uint64_t steps_;                 ///< nodes
  std::uint64_t memory_ = 0;            ///< bytes, roughly
  Error error_;
};

}  // namespace tiphys::expr
