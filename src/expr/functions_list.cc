// expr-lang's functions of arrays and maps.
#include <algorithm>

#include "expr/arguments.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/operators.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

Value len(Arguments arguments) {
  const doc::Value& value = *arguments[0];
  if (const auto* array = value.if_array()) return doc::Value(static_cast<std::int64_t>(array->size()));
  if (const auto bytes = go_bytes(value)) return doc::Value(static_cast<std::int64_t>(bytes->size()));
  if (const auto* strings = go_string_map(value)) return doc::Value(static_cast<std::int64_t>(strings->size()));
  if (const auto* object = value.if_object(); object && !go_kind(value)) {
    return doc::Value(static_cast<std::int64_t>(object->size()));
  }
  if (const auto* string = value.if_string()) return doc::Value(static_cast<std::int64_t>(count_code_points(*string)));
  return bad_argument("invalid argument for len (type " + std::string(go_type(value)) + ")");
}

Value type(Arguments arguments) {
  return doc::Value(type_word(*arguments[0]));
}

/// first, last and get give nil for what is not there.
Value element_or_nil(const doc::Value& base, const doc::Value& property) {
  auto element = fetch(base, property);
  return element ? std::move(*element) : doc::Value();
}

Value first(Arguments arguments) {
  if (arguments[0]->is_object()) return doc::Value();
  return element_or_nil(*arguments[0], doc::Value(0));
}

Value last(Arguments arguments) {
  if (arguments[0]->is_object()) return doc::Value();
  return element_or_nil(*arguments[0], doc::Value(-1));
}

Value get(Arguments arguments) {
  const doc::Value& base = *arguments[0];
  if ((base.is_array() || base.is_string()) && !is_number(*arguments[1])) {
    return bad_argument("invalid operation: int(" + std::string(go_type(*arguments[1])) + ")");
  }
  if (const auto* strings = go_string_map(base); strings && arguments[1]->is_string()) {
    const doc::Value* member = strings->if_contains(arguments[1]->get_string());
    return member ? *member : doc::Value();
  }
  return element_or_nil(base, *arguments[1]);
}

Value take(Arguments arguments) {
  TIPHYS_TRY(const auto* array, array_argument(arguments, 0));
  TIPHYS_TRY(const auto count, int_argument(arguments, 1));
  if (count < 0) return bad_argument("cannot take " + std::to_string(count) + " elements");
  const auto end = std::min<std::uint64_t>(static_cast<std::uint64_t>(count), array->size());
  return doc::Value(doc::Array(array->begin(), array->begin() + end));
}

Value keys(Arguments arguments) {
  TIPHYS_TRY(const auto* map, map_argument(arguments, 0));
  doc::Array result;
  for (const auto& member : *map) result.emplace_back(member.key());
  return doc::Value(std::move(result));
}

Value values(Arguments arguments) {
  TIPHYS_TRY(const auto* map, map_argument(arguments, 0));
  doc::Array result;
  for (const auto& member : *map) result.push_back(member.value());
  return doc::Value(std::move(result));
}

Value to_pairs(Arguments arguments) {
  TIPHYS_TRY(const auto* map, map_argument(arguments, 0));
  doc::Array result;
  for (const auto& member : *map) result.push_back(doc::Array{doc::Value(member.key()), member.value()});
  return doc::Value(std::move(result));
}

Value from_pairs(Arguments arguments) {
  TIPHYS_TRY(const auto* array, array_argument(arguments, 0));
  doc::Object result;
  for (const doc::Value& element : *array) {
    const auto* pair = element.if_array();
    if (!pair) return bad_argument("invalid pair " + go_text(element));
    if (pair->size() != 2) return bad_argument("invalid pair length " + go_text(element));
    result.insert_or_assign(go_text((*pair)[0]), (*pair)[1]);
  }
  return doc::Value(std::move(result));
}

Value reverse(Arguments arguments) {
  TIPHYS_TRY(const auto* array, array_argument(arguments, 0));
  return doc::Value(doc::Array(std::make_reverse_iterator(array->end()), std::make_reverse_iterator(array->begin())));
}

Value uniq(Arguments arguments) {
  constexpr std::size_t kMost = 10000;  // each is compared with all before it
  TIPHYS_TRY(const auto* array, array_argument(arguments, 0));
  if (array->size() > kMost) return fail(Code::kResourceExhausted, "uniq takes at most 10000 elements");
  doc::Array result;
  for (const doc::Value& element : *array) {
    const auto same = [&](const doc::Value& other) { return values_equal(element, other); };
    if (std::ranges::none_of(result, same)) result.push_back(element);
  }
  return doc::Value(std::move(result));
}

Value concat(Arguments arguments) {
  doc::Array result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    TIPHYS_TRY(const auto* array, array_argument(arguments, i));
    result.insert(result.end(), array->begin(), array->end());
  }
  return doc::Value(std::move(result));
}

void append_flat(const doc::Array& array, doc::Array& out) {
  for (const doc::Value& element : array) {
    if (const auto* inner = element.if_array()) {
      append_flat(*inner, out);
    } else {
      out.push_back(element);
    }
  }
}

Value flatten(Arguments arguments) {
  TIPHYS_TRY(const auto* array, array_argument(arguments, 0));
  doc::Array result;
  append_flat(*array, result);
  return doc::Value(std::move(result));
}

Value sort(Arguments arguments) {
  bool descending = false;
  if (arguments.size() == 2) {
    TIPHYS_TRY(const auto order, text_argument(arguments, 1));
    if (order != "asc" && order != "desc") {
      return bad_argument("invalid order " + std::string(order) + ", expected asc or desc");
    }
    descending = order == "desc";
  }
  const auto* array = arguments[0]->if_array();
  if (!array) return doc::Value(doc::Array());
  std::vector<const doc::Value*> order;
  for (const doc::Value& element : *array) {
    if (!order.empty()) TIPHYS_CHECK_OK(value_less(*order.back(), element));
    order.push_back(&element);
  }
  std::ranges::stable_sort(order, [&](const doc::Value* a, const doc::Value* b) {
    return *(descending ? value_less(*b, *a) : value_less(*a, *b));
  });
  doc::Array result;
  for (const doc::Value* element : order) result.push_back(*element);
  return doc::Value(std::move(result));
}

constexpr Function kFunctions[] = {
    {"len", 1, 1, len, StaticKind::kInt},
    {"type", 1, 1, type, StaticKind::kString},
    {"first", 1, 1, first},
    {"last", 1, 1, last},
    {"get", 2, 2, get},
    {"take", 2, 2, take},
    {"keys", 1, 1, keys, StaticKind::kArray},
    {"values", 1, 1, values, StaticKind::kArray},
    {"toPairs", 1, 1, to_pairs, StaticKind::kArray},
    {"fromPairs", 1, 1, from_pairs, StaticKind::kMap},
    {"reverse", 1, 1, reverse, StaticKind::kArray},
    {"uniq", 1, 1, uniq, StaticKind::kArray},
    {"concat", 1, Function::kAny, concat, StaticKind::kArray},
    {"flatten", 1, 1, flatten, StaticKind::kArray},
    {"sort", 1, 2, sort, StaticKind::kArray},
};

}  // namespace

std::span<const Function> list_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr
