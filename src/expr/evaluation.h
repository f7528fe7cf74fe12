// One evaluation of a tree: the variables of lets and predicates, and what it may still use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "doc/value.h"
#include "expr/ast.h"
#include "expr/scope.h"

namespace tiphys::expr {

/// A value of its own, or one that lives elsewhere for as long as the evaluation needs it.
class Held {
 public:
  Held() = default;
  Held(doc::Value value) : owned_(std::move(value)) {}
  explicit Held(const doc::Value* borrowed) : borrowed_(borrowed) {}

  const doc::Value& get() const { return borrowed_ ? *borrowed_ : owned_; }
  const doc::Value& operator*() const { return get(); }
  const doc::Value* operator->() const { return &get(); }
  bool borrowed() const { return borrowed_ != nullptr; }
  doc::Value take() {
    if (borrowed_) return *borrowed_;
    return std::move(owned_);
  }

  bool cut = false;  ///< a ?. found nothing: what follows in the chain is not evaluated

 private:
  const doc::Value* borrowed_ = nullptr;
  doc::Value owned_;
};

class Evaluation {
 public:
  Evaluation(const Tree& tree, const Scope& scope) : tree_(tree), scope_(scope), slots_(tree.slots) {}

  Result<Held> eval(const Node& node);
  /// The value as one of its own.
  Result<doc::Value> own(Held held);
  Result<doc::Value> eval_owned(const Node& node);
  Result<bool> eval_bool(const Node& node, std::string_view use);

  /// The functions with predicates; see collect.cc.
  Result<Held> collect(const Node& node);

  std::unexpected<Error> error_at(const Node& node, const Error& error) const;
  std::unexpected<Error> error_at(const Node& node, std::string message) const;
  /// Counts memory that a value takes; an error when the evaluation has made too much.
  Status charge(const doc::Value& value);

 private:
  struct Pointer {
    const doc::Value* element = nullptr;
    std::int64_t index = 0;
    const doc::Value* accumulator = nullptr;
  };
  class PointerFrame;
  class Collection;

  Result<Held> eval_path(const Node& node);
  Result<Held> eval_pointer(const Node& node);
  Result<Held> eval_unary(const Node& node);
  Result<Held> eval_binary(const Node& node);
  Result<Held> eval_logical(const Node& node);
  Result<Held> eval_matches(const Node& node, const doc::Value& left, const doc::Value& right);
  Result<Held> eval_member(const Node& node);
  Result<Held> eval_slice(const Node& node);
  Result<Held> eval_array(const Node& node);
  Result<Held> eval_map(const Node& node);
  Result<Held> eval_let(const Node& node);
  Result<Held> eval_call(const Node& node);
  Result<Held> eval_method(const Node& node);
  Result<Held> undefined(const Node& node) const;

  Result<Held> collect_bools(const Node& node, Collection& collection);
  Result<Held> collect_found(const Node& node, Collection& collection);
  Result<Held> collect_mapped(const Node& node, Collection& collection);
  Result<Held> collect_summed(const Node& node, Collection& collection);
  Result<Held> collect_groups(const Node& node, Collection& collection);
  Result<Held> collect_sorted(const Node& node, Collection& collection);
  Result<Held> collect_reduced(const Node& node, Collection& collection);

  const Tree& tree_;
  const Scope& scope_;
  std::vector<Held> slots_;
  std::vector<Pointer> pointers_;
  std::uint64_t steps_ = 0;
  std::uint64_t memory_ = 0;  ///< bytes, roughly
};

}  // namespace tiphys::expr
