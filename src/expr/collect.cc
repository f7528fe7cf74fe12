// The functions of expr-lang that take an array and a predicate.
#include <algorithm>
#include <numeric>

#include "expr/evaluation.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/operators.h"

namespace tiphys::expr {

/// The innermost # while it exists.
class Evaluation::PointerFrame {
 public:
  explicit PointerFrame(Evaluation& evaluation) : evaluation_(evaluation) { evaluation.pointers_.emplace_back(); }
  ~PointerFrame() { evaluation_.pointers_.pop_back(); }
  PointerFrame(const PointerFrame&) = delete;
  PointerFrame& operator=(const PointerFrame&) = delete;

 private:
  Evaluation& evaluation_;
};

/// The array, and its predicate applied to an element at a time.
class Evaluation::Collection {
 public:
  Collection(Evaluation& evaluation, const Node& node, Held array)
      : evaluation_(evaluation),
        array_(std::move(array)),
        predicate_(node.children.size() > 1 ? node.children[1] : nullptr) {}

  const doc::Array& elements() const { return array_->get_array(); }
  std::size_t size() const { return elements().size(); }
  bool has_predicate() const { return predicate_ != nullptr; }

  Result<Held> apply(std::size_t index, const doc::Value* accumulator = nullptr) {
    if (!predicate_) return Held(&elements()[index]);
    const PointerFrame frame(evaluation_);
    evaluation_.pointers_.back() = {&elements()[index], static_cast<std::int64_t>(index), accumulator};
    return evaluation_.eval(*predicate_);
  }
  Result<bool> test(std::size_t index) {
    TIPHYS_TRY(const Held held, apply(index));
    if (!held->is_bool()) {
      const std::string what = "predicate should return boolean (got " + std::string(go_type(*held)) + ")";
      if (!predicate_) return fail(Code::kInvalidArgument, what);
      return evaluation_.error_at(*predicate_, what);
    }
    return held->get_bool();
  }

 private:
  Evaluation& evaluation_;
  Held array_;
  const Node* predicate_;
};

Result<Held> Evaluation::collect(const Node& node) {
  TIPHYS_TRY(Held array, eval(*node.children[0]));
  if (go_bytes(*array)) array = Held(bytes_as_array(array.take()));
  // What the checker does not know may be a text, whose bytes are taken, or a map without members.
  if (array->is_string()) array = Held(bytes_as_array(make_go_value(GoKind::kBytes, array.take())));
  if (array->is_object() && array->get_object().empty()) array = Held(doc::Value(doc::Array()));
  if (!array->is_array()) {
    return error_at(*node.children[0],
                    "builtin " + node.text + " takes only array (got " + std::string(go_type(*array)) + ")");
  }
  Collection collection(*this, node, std::move(array));
  const std::string_view name = node.text;
  if (name == "all" || name == "any" || name == "none" || name == "one" || name == "count") {
    return collect_bools(node, collection);
  }
  if (name.starts_with("find")) return collect_found(node, collection);
  if (name == "sum") return collect_summed(node, collection);
  if (name == "groupBy") return collect_groups(node, collection);
  if (name == "sortBy") return collect_sorted(node, collection);
  if (name == "reduce") return collect_reduced(node, collection);
  return collect_mapped(node, collection);
}

Result<Held> Evaluation::collect_bools(const Node& node, Collection& collection) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < collection.size(); ++i) {
    TIPHYS_TRY(const bool truth, collection.test(i));
    count += truth;
    if (truth && (node.text == "any" || node.text == "none")) return Held(doc::Value(node.text == "any"));
    if (!truth && node.text == "all") return Held(doc::Value(false));
  }
  if (node.text == "count") return Held(doc::Value(count));
  if (node.text == "one") return Held(doc::Value(count == 1));
  return Held(doc::Value(node.text != "any"));
}

Result<Held> Evaluation::collect_found(const Node& node, Collection& collection) {
  const bool from_end = node.text.starts_with("findLast");
  const bool index_wanted = node.text.ends_with("Index");
  for (std::size_t i = 0; i < collection.size(); ++i) {
    const std::size_t at = from_end ? collection.size() - 1 - i : i;
    TIPHYS_TRY(const bool found, collection.test(at));
    if (!found) continue;
    if (index_wanted) return Held(doc::Value(static_cast<std::int64_t>(at)));
    TIPHYS_TRY(doc::Value element, own(Held(&collection.elements()[at])));
    return Held(std::move(element));
  }
  return Held();
}

/// map and filter.
Result<Held> Evaluation::collect_mapped(const Node& node, Collection& collection) {
  doc::Array results;
  for (std::size_t i = 0; i < collection.size(); ++i) {
    if (node.text == "map") {
      TIPHYS_TRY(Held held, collection.apply(i));
      TIPHYS_TRY(doc::Value value, own(std::move(held)));
      results.push_back(std::move(value));
      continue;
    }
    TIPHYS_TRY(const bool wanted, collection.test(i));
    if (!wanted) continue;
    TIPHYS_TRY(doc::Value element, own(Held(&collection.elements()[i])));
    results.push_back(std::move(element));
  }
  return Held(doc::Value(std::move(results)));
}

Result<Held> Evaluation::collect_summed(const Node& node, Collection& collection) {
  doc::Value total = 0;
  for (std::size_t i = 0; i < collection.size(); ++i) {
    TIPHYS_TRY(const Held held, collection.apply(i));
    auto sum = apply_binary(Op::kAdd, total, *held);
    if (!sum) return error_at(node, sum.error());
    total = std::move(*sum);
  }
  return Held(std::move(total));
}

Result<Held> Evaluation::collect_groups(const Node& node, Collection& collection) {
  doc::Object groups;
  for (std::size_t i = 0; i < collection.size(); ++i) {
    TIPHYS_TRY(const Held key, collection.apply(i));
    if (key->is_array() || (key->is_object() && !go_kind(*key))) {
      return error_at(*node.children[1], "hash of unhashable type: " + std::string(go_type(*key)));
    }
    TIPHYS_TRY(doc::Value element, own(Held(&collection.elements()[i])));
    doc::Value& group = groups[go_text(*key)];
    if (!group.is_array()) group.emplace_array();
    group.get_array().push_back(std::move(element));
  }
  return Held(doc::Value(std::move(groups)));
}

Result<Held> Evaluation::collect_sorted(const Node& node, Collection& collection) {
  bool descending = false;
  if (node.children.size() == 3) {
    TIPHYS_TRY(const Held order, eval(*node.children[2]));
    if (!order->is_string()) return error_at(*node.children[2], "sortBy order argument must be a string");
    descending = order->get_string() == "desc";
    if (!descending && order->get_string() != "asc") {
      return error_at(*node.children[2], "unknown order, use asc or desc");
    }
  }
  std::vector<doc::Value> keys;
  for (std::size_t i = 0; i < collection.size(); ++i) {
    TIPHYS_TRY(Held held, collection.apply(i));
    TIPHYS_TRY(doc::Value key, own(std::move(held)));
    keys.push_back(std::move(key));
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
    TIPHYS_TRY(doc::Value element, own(Held(&collection.elements()[at])));
    sorted.push_back(std::move(element));
  }
  return Held(doc::Value(std::move(sorted)));
}

Result<Held> Evaluation::collect_reduced(const Node& node, Collection& collection) {
  doc::Value accumulator;
  std::size_t first = 0;
  if (node.children.size() == 3) {
    TIPHYS_TRY(accumulator, eval_owned(*node.children[2]));
  } else {
    if (collection.size() == 0) return error_at(node, "reduce of empty array with no initial value");
    TIPHYS_TRY(accumulator, own(Held(&collection.elements()[0])));
    first = 1;
  }
  for (std::size_t i = first; i < collection.size(); ++i) {
    TIPHYS_TRY(Held held, collection.apply(i, &accumulator));
    TIPHYS_TRY(doc::Value next, own(std::move(held)));
    accumulator = std::move(next);
  }
  return Held(std::move(accumulator));
}

}  // namespace tiphys::expr
