// The functions of expr-lang that take an array and a predicate.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "expr/evaluation.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/operators.h"

namespace tiphys::expr {

/// An array, or the integers of a range, which is never made.
struct Evaluation::Elements {
  const doc::Array* array = nullptr;
  std::int64_t first = 0;
  std::size_t size = 0;

  Held operator[](std::size_t index) const {
    return array ? Held(&(*array)[index]) : Held(first + static_cast<std::int64_t>(index));
  }
};

/// The elements, and a predicate applied to one at a time.
class Evaluation::Collection {
 public:
  Collection(Evaluation& evaluation, const Node& node, const Elements& elements)
      : evaluation_(evaluation),
        elements_(elements),
        predicate_(node.children.size() > 1 ? node.children[1] : nullptr),
        body_(predicate_ && predicate_->kind == Node::Kind::kPredicate ? predicate_->children[0] : predicate_),
        before_(evaluation.last_made()) {}

  ~Collection() {
    if (evaluation_.pointer_ == &pointer_) evaluation_.pointer_ = outer_;
  }
  Collection(const Collection&) = delete;
  Collection& operator=(const Collection&) = delete;

  Held operator[](std::size_t index) const { return elements_[index]; }
  std::size_t size() const { return elements_.size; }

  /// The result is good until the next call.
  Held apply(std::size_t index, const doc::Value* accumulator = nullptr) {
    evaluation_.drop_until(before_);
    if (!predicate_) return elements_[index];
    if (!evaluation_.step(1 + body_->size)) return Held::failure();
    if (evaluation_.pointer_ != &pointer_) outer_ = std::exchange(evaluation_.pointer_, &pointer_);
    pointer_.element = elements_[index];
    pointer_.index = static_cast<std::int64_t>(index);
    pointer_.accumulator = accumulator;
    return evaluation_.eval(*body_);
  }
  Held test(std::size_t index) {
    const Held held = apply(index);
    return held.is_bool() || held.failed() ? held : no_bool(held);
  }

 private:
  Held no_bool(const Held& held) {
    const std::string what = "predicate should return boolean (got " + std::string(go_type(*Operand(held))) + ")";
    if (!predicate_) return evaluation_.fail_with({Code::kInvalidArgument, what});
    return evaluation_.error_at(*predicate_, what);
  }

  Evaluation& evaluation_;
  const Elements elements_;
  const Node* predicate_;
  const Node* body_;  ///< what is evaluated of it
  Pointer pointer_;   ///< the innermost # from the first call of the predicate on
  const Pointer* outer_ = nullptr;
  const doc::Value* before_;  ///< the last that was made before
};

Held Evaluation::elements_of(const Node& node, std::string_view name, Elements& elements) {
  if (node.kind == Node::Kind::kBinary && node.op == Op::kRange && !traced_) {
    const Held first = eval(*node.children[0]);
    if (first.failed()) return first;
    const Held last = eval(*node.children[1]);
    if (last.failed()) return last;
    const auto size = first.is_int() && last.is_int() ? range_size(first.get_int(), last.get_int()) : std::nullopt;
    if (!size) return array_of(node, name, apply(Op::kRange, first, last, node), elements);
    elements = {.first = first.get_int(), .size = *size};
    return charge(*size * sizeof(doc::Value)) ? Held() : Held::failure();
  }
  return array_of(node, name, eval(node), elements);
}

Held Evaluation::array_of(const Node& node, std::string_view name, Held held, Elements& elements) {
  if (held.failed()) return held;
  // What the checker does not know may be a text, whose bytes are taken, or a map without members.
  if (held.is_string()) held = keep(make_go_value(GoKind::kBytes, held.copy()));
  if (held.value() && go_bytes(*held.value())) held = keep(bytes_as_array(held.copy()));
  const doc::Object* object = held.value() ? held.value()->if_object() : nullptr;
  if (object && object->empty()) held = keep(doc::Array());
  elements.array = held.value() ? held.value()->if_array() : nullptr;
  if (!elements.array) {
    return error_at(node, fmt::format("builtin {} takes only array (got {})", name, go_type(*Operand(held))));
  }
  elements.size = elements.array->size();
  return held;
}

Held Evaluation::collect(const Node& node) {
  Elements elements;
  if (elements_of(*node.children[0], node.text, elements).failed()) return Held::failure();
  Collection collection(*this, node, elements);
  const std::string_view name = node.text;
  if (name == "map") return collect_mapped(collection);
  if (name == "filter") return collect_filtered(collection);
  if (name == "all" || name == "any" || name == "none" || name == "one" || name == "count") {
    return collect_bools(node, collection);
  }
  if (name == "sum") return collect_summed(node, collection);
  if (name == "groupBy") return collect_groups(node, collection);
  if (name == "sortBy") return collect_sorted(node, collection);
  if (name == "reduce") return collect_reduced(node, collection);
  return collect_found(node, collection);
}

Held Evaluation::collect_bools(const Node& node, Collection& collection) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < collection.size(); ++i) {
    const Held held = collection.test(i);
    if (held.failed()) return held;
    const bool truth = held.get_bool();
    count += truth;
    if (truth && (node.text == "any" || node.text == "none")) return Held(node.text == "any");
    if (!truth && node.text == "all") return Held(false);
  }
  if (node.text == "count") return Held(count);
  if (node.text == "one") return Held(count == 1);
  return Held(node.text != "any");
}

Held Evaluation::collect_found(const Node& node, Collection& collection) {
  const bool from_end = node.text.starts_with("findLast");
  const bool index_wanted = node.text.ends_with("Index");
  for (std::size_t i = 0; i < collection.size(); ++i) {
    const std::size_t at = from_end ? collection.size() - 1 - i : i;
    const Held found = collection.test(at);
    if (found.failed()) return found;
    if (!found.get_bool()) continue;
    if (index_wanted) return Held(static_cast<std::int64_t>(at));
    return collection[at];
  }
  return Held();
}

Held Evaluation::collect_mapped(Collection& collection) {
  doc::Array results(collection.size());
  for (std::size_t i = 0; i < collection.size(); ++i) {
    const Held held = collection.apply(i);
    if (held.failed() || !own(held, results[i])) return Held::failure();
  }
  return keep(std::move(results));
}

Held Evaluation::collect_filtered(Collection& collection) {
  doc::Array results;
  for (std::size_t i = 0; i < collection.size(); ++i) {
    const Held wanted = collection.test(i);
    if (wanted.failed()) return wanted;
    if (wanted.get_bool() && !own(collection[i], results.emplace_back(nullptr))) return Held::failure();
  }
  return keep(std::move(results));
}

Held Evaluation::collect_summed(const Node& node, Collection& collection) {
  // The original makes a sum of the elements of an array that is written out: a + b, of texts, too.
  const Node& array = *node.children[0];
  const bool written = array.kind == Node::Kind::kArray && !array.constant && collection.size() > 1;
  const bool plain = written && node.children.size() == 1;
  Held total = plain ? collection[0] : Held(std::int64_t{0});
  for (std::size_t i = plain ? 1 : 0; i < collection.size(); ++i) {
    const Held held = collection.apply(i);
    if (held.failed()) return held;
    total = apply(Op::kAdd, total, held, node);
    if (total.failed()) return total;
  }
  return total;
}

Held Evaluation::collect_groups(const Node& node, Collection& collection) {
  doc::Object groups;
  for (std::size_t i = 0; i < collection.size(); ++i) {
    const Held held = collection.apply(i);
    if (held.failed()) return held;
    const Operand key(held);
    if (key->is_array() || (key->is_object() && !go_kind(*key))) {
      return error_at(*node.children[1], "hash of unhashable type: " + std::string(go_type(*key)));
    }
    doc::Value& group = groups[go_text(*key)];
    if (!group.is_array()) group.emplace_array();
    if (!own(collection[i], group.get_array().emplace_back(nullptr))) return Held::failure();
  }
  return keep(std::move(groups));
}

Held Evaluation::collect_sorted(const Node& node, Collection& collection) {
  bool descending = false;
  if (node.children.size() == 3) {
    const Held order = eval(*node.children[2]);
    if (order.failed()) return order;
    if (!order.is_string()) return error_at(*node.children[2], "sortBy order argument must be a string");
    descending = order.get_string() == "desc";
    if (!descending && order.get_string() != "asc") {
      return error_at(*node.children[2], "unknown order, use asc or desc");
    }
  }
  std::vector<doc::Value> keys(collection.size());
  for (std::size_t i = 0; i < collection.size(); ++i) {
    const Held held = collection.apply(i);
    if (held.failed() || !own(held, keys[i])) return Held::failure();
    // Neighbours that have an order make all have one.
    if (i > 0) {
      if (auto less = value_less(keys[i - 1], keys[i]); !less) return error_at(node, less.error());
    }
  }
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return *(descending ? value_less(keys[b], keys[a]) : value_less(keys[a], keys[b]));
  });
  doc::Array sorted;
  for (const std::size_t at : order) {
    if (!own(collection[at], sorted.emplace_back(nullptr))) return Held::failure();
  }
  return keep(std::move(sorted));
}

Held Evaluation::collect_reduced(const Node& node, Collection& collection) {
  doc::Value accumulator;
  std::size_t first = 0;
  if (node.children.size() == 3) {
    if (!eval_to(*node.children[2], accumulator)) return Held::failure();
  } else {
    if (collection.size() == 0) return error_at(node, "reduce of empty array with no initial value");
    if (!own(collection[0], accumulator)) return Held::failure();
    first = 1;
  }
  for (std::size_t i = first; i < collection.size(); ++i) {
    const Held held = collection.apply(i, &accumulator);
    doc::Value next;
    if (held.failed() || !own(held, next)) return Held::failure();
    accumulator = std::move(next);
  }
  return keep(std::move(accumulator));
}

}  // namespace tiphys::expr
