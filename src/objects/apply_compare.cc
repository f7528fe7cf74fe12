#include "objects/apply_compare.h"

#include <algorithm>
#include <map>

namespace tiphys::objects {
namespace {

using Form = Shape::Form;

/// Of a value that is not there: nullptr. Of one that is no map: nullptr, too.
const doc::Object* map_of(const doc::Value* value) {
  return value ? value->if_object() : nullptr;
}
const doc::Array* list_of(const doc::Value* value) {
  return value ? value->if_array() : nullptr;
}

class Comparison {
 public:
  /// The value before and after, of which one may be missing.
  struct Pair {
    const doc::Value* before;
    const doc::Value* after;
  };

  Comparison(const Shape& shape, Pair pair) {
    const Form before = shape.form(pair.before);
    const Form after = shape.form(pair.after);
    bool leaf = false;
    if (!pair.after) {
      leaf = compare_as(before, shape, pair);
    } else if (!pair.before || before == after) {
      leaf = compare_as(after, shape, pair);
    } else {
      // It has become something else: each side is seen as what it is.
      compare_as(before, shape, pair);
      leaf = compare_as(after, shape, pair);
    }
    if (leaf) return;
    if (!pair.before) added_ = true;
    if (!pair.after) removed_ = true;
  }

  Changes take_below() { return std::move(below_); }

 private:
  /// Whether it is a leaf, which says itself what became of it.
  bool compare_as(Form form, const Shape& shape, Pair pair) {
    if (form == Form::kScalar) return leaf(pair);
    if (form == Form::kList) {
      const doc::Array* before = list_of(pair.before);
      const doc::Array* after = list_of(pair.after);
      // Of two empty ones it matters whether one of them is null.
      const bool empty = (!before || before->empty()) && (!after || after->empty());
      if (empty || shape.atomic_list()) return leaf(pair);
      compare_elements(shape, before, after);
      return false;
    }
    const doc::Object* before = map_of(pair.before);
    const doc::Object* after = map_of(pair.after);
    const bool empty = (!before || before->empty()) && (!after || after->empty());
    if (empty || shape.atomic_map()) return leaf(pair);
    compare_members(shape, before, after);
    return false;
  }

  bool leaf(Pair pair) {
    if (!pair.before) {
      added_ = true;
    } else if (!pair.after) {
      removed_ = true;
    } else if (!same_value(*pair.before, *pair.after)) {
      modified_ = true;
    }
    return true;
  }

  void compare_members(const Shape& shape, const doc::Object* before, const doc::Object* after) {
    const auto visit = [&](std::string_view name, Pair pair) {
      const auto member = shape.member(name);
      if (!member) return;  // checked before
      Comparison child(member->shape, pair);
      if (child.changed()) take(PathElement::field(name), std::move(child));
    };
    if (before) {
      for (const auto& [name, value] : *before) visit(name, {&value, after ? after->if_contains(name) : nullptr});
    }
    if (after) {
      for (const auto& [name, value] : *after) {
        if (!before || !before->contains(name)) visit(name, {nullptr, &value});
      }
    }
    sort();
  }

  void compare_elements(const Shape& shape, const doc::Array* before, const doc::Array* after) {
    /// Elements of one identity: more than one where a list has duplicates.
    struct Elements {
      std::vector<const doc::Value*> before;
      std::vector<const doc::Value*> after;
    };
    std::map<PathElement, Elements> all;
    const auto gather = [&](const doc::Array* list, std::vector<const doc::Value*> Elements::* side) {
      if (!list) return;
      for (const doc::Value& element : *list) {
        if (auto identity = shape.identify(element)) (all[std::move(*identity)].*side).push_back(&element);
      }
    };
    gather(before, &Elements::before);
    gather(after, &Elements::after);
    const Shape below = shape.element();
    for (auto& [identity, elements] : all) {
      const auto& [olds, news] = elements;
      if (olds.size() <= 1 && news.size() <= 1) {
        take(identity, Comparison(below, {olds.empty() ? nullptr : olds[0], news.empty() ? nullptr : news[0]}));
      } else if (olds.size() >= 2 && news.size() >= 2) {
        const auto same = [](const doc::Value* left, const doc::Value* right) { return same_value(*left, *right); };
        if (!std::ranges::equal(olds, news, same)) below_.modified.put(identity, true, {});
      } else if (olds.size() >= 2) {
        if (!news.empty()) take(identity, Comparison(below, {nullptr, news[0]}));
        below_.removed.put(identity, true, {});
      } else {
        if (!olds.empty()) take(identity, Comparison(below, {olds[0], nullptr}));
        below_.added.put(identity, true, {});
      }
    }
    sort();
  }

  bool changed() const { return removed_ || modified_ || added_ || !below_.empty(); }

  void take(const PathElement& element, Comparison&& child) {
    below_.removed.put(element, child.removed_, std::move(child.below_.removed));
    below_.modified.put(element, child.modified_, std::move(child.below_.modified));
    below_.added.put(element, child.added_, std::move(child.below_.added));
  }

  void sort() {
    below_.removed.sort();
    below_.modified.sort();
    below_.added.sort();
  }

  bool removed_ = false;
  bool modified_ = false;
  bool added_ = false;
  Changes below_;
};

}  // namespace

Changes compare(const Shape& shape, const doc::Value& before, const doc::Value& after) {
  return Comparison(shape, {&before, &after}).take_below();
}

}  // namespace tiphys::objects
