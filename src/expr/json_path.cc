#include "expr/json_path.h"

#include <algorithm>
#include <cmath>

#include "expr/go_text.h"
#include "expr/json_path_query.h"
#include "expr/operators.h"

namespace tiphys::expr {
namespace json_path {
namespace {

using Kind = Step::Kind;

constexpr std::size_t kLongest = 16 * 1024;
constexpr std::size_t kMostSteps = 5'000'000;
constexpr int kDeepestValue = 200;

std::unexpected<Error> invalid(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

std::unexpected<Error> wrong_target(std::string_view step, const doc::Value& value) {
  return invalid(std::string(step) + ": invalid token target. got [" + std::string(type_word(value)) + "]");
}

/// How many values there are in one; long texts count as several.
std::size_t weight(const doc::Value& value) {
  std::size_t sum = value.is_string() ? 1 + value.get_string().size() / 64 : 1;
  if (const auto* array = value.if_array()) {
    for (const doc::Value& element : *array) sum += weight(element);
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) sum += weight(member.value());
  }
  return sum;
}

/// Elements, or members in the order of their keys.
std::vector<const doc::Value*> elements_of(const doc::Value& value) {
  std::vector<const doc::Value*> elements;
  if (const auto* array = value.if_array()) {
    for (const doc::Value& element : *array) elements.push_back(&element);
  } else if (const auto* object = value.if_object()) {
    std::vector<const doc::Object::value_type*> members;
    for (const auto& member : *object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
    for (const auto* member : members) elements.push_back(&member->value());
  }
  return elements;
}

/// A whole number, if it is one.
std::optional<std::int64_t> integer_of(const doc::Value& value) {
  if (value.is_int64()) return value.get_int64();
  if (!value.is_number()) return std::nullopt;
  const double number = value.to_number<double>();
  return std::trunc(number) == number ? std::optional(truncate_to_int(number)) : std::nullopt;
}

/// The element at a place, which counts from the end when it is negative; nullptr beyond.
template <typename List>
auto element_at(const List& list, std::int64_t index) -> decltype(&list[0]) {
  const auto size = static_cast<std::int64_t>(list.size());
  if (index < 0) index += size;
  return index < 0 || index >= size ? nullptr : &list[static_cast<std::size_t>(index)];
}

/// What a filter keeps.
bool truth(const doc::Value& value) {
  if (value.is_bool()) return value.get_bool();
  if (const auto* array = value.if_array()) return !array->empty();
  if (const auto* object = value.if_object()) return !object->empty();
  if (value.is_number()) return value.to_number<double>() != 0;
  if (!value.is_string()) return false;
  const std::string_view text = value.get_string();
  return !text.empty() && text != "''" && text != "\"\"";
}

}  // namespace

Status Query::spend(std::size_t steps) {
  steps_ += steps;
  if (steps_ <= kMostSteps) return {};
  return fail(Code::kResourceExhausted, "the JSONPath takes too many steps");
}

Result<doc::Value> Query::copy(const doc::Value& value) {
  TIPHYS_CHECK_OK(spend(weight(value)));
  return value;
}

Result<doc::Value> Query::apply(Place place, const Step* next, const Step* end) {
  TIPHYS_CHECK_OK(spend(1));
  if (next == end) return copy(place.current);
  switch (next->kind) {
    case Kind::kRoot:
      return apply({place.root, place.root}, next + 1, end);
    case Kind::kCurrent:
      return apply(place, next + 1, end);
    case Kind::kKey:
      return key(place, next->key, next + 1, end);
    case Kind::kIndex:
      return index(place, next->index, next + 1, end);
    case Kind::kRange:
      return range(place, next, end);
    case Kind::kUnion:
      return unite(place, next, end);
    case Kind::kWildcard:
      if (!place.current.is_structured()) return wrong_target("wildcard", place.current);
      return each(place.root, elements_of(place.current), next + 1, end);
    case Kind::kRecursive: {
      doc::Array results;
      TIPHYS_CHECK_OK(recurse(place, next + 1, end, 0, results));
      return doc::Value(std::move(results));
    }
    case Kind::kLength:
      return length(place, next, end);
    case Kind::kFilter:
      return filter(place, next, end);
    case Kind::kScript:
      return script(place, next, end);
  }
  return doc::Value();
}

/// The next steps applied to each element; what fails or gives null is left out.
Result<doc::Value> Query::each(const doc::Value& root, const Elements& elements, const Step* next, const Step* end) {
  doc::Array results;
  for (const doc::Value* element : elements) {
    auto result = apply({root, *element}, next, end);
    if (!result && ends(result.error())) return result;
    if (result && (next == end || !result->is_null())) results.push_back(std::move(*result));
  }
  return doc::Value(std::move(results));
}

/// The same, but an index picks from the elements.
Result<doc::Value> Query::list(const doc::Value& root, const Elements& elements, const Step* next, const Step* end) {
  if (next == end || next->kind != Kind::kIndex) return each(root, elements, next, end);
  const auto* element = element_at(elements, next->index);
  if (!element) return invalid("index: invalid token out of range");
  return apply({root, **element}, next + 1, end);
}

Result<doc::Value> Query::key(Place place, const std::string& key, const Step* next, const Step* end) {
  if (!place.current.is_object()) return wrong_target("key", place.current);
  const doc::Value* member = place.current.get_object().if_contains(key);
  if (!member) return invalid("key: invalid token key '" + key + "' not found");
  return apply({place.root, *member}, next, end);
}

Result<doc::Value> Query::index(Place place, std::int64_t index, const Step* next, const Step* end) {
  if (!place.current.is_array()) return wrong_target("index", place.current);
  const doc::Value* element = element_at(place.current.get_array(), index);
  if (!element) return invalid("index: invalid token out of range");
  return apply({place.root, *element}, next, end);
}

Result<doc::Value> Query::computed(const Argument& argument, Place place) {
  if (const auto* script = std::get_if<ScriptPtr>(&argument)) return evaluate(**script, place);
  if (const auto* number = std::get_if<std::int64_t>(&argument)) return doc::Value(*number);
  if (const auto* text = std::get_if<std::string>(&argument)) return doc::Value(*text);
  return doc::Value();
}

Result<std::int64_t> Query::bound(const Argument& argument, std::int64_t absent, Place place) {
  if (std::holds_alternative<std::monostate>(argument)) return absent;
  TIPHYS_TRY(const doc::Value value, computed(argument, place));
  const auto number = integer_of(value);
  if (!number) return invalid("range: unexpected expression result. expected [int]");
  return *number;
}

/// A negative step goes through the same elements from the end.
Result<doc::Value> Query::range(Place place, const Step* step, const Step* end) {
  if (!place.current.is_array()) return wrong_target("range", place.current);
  const doc::Array& array = place.current.get_array();
  const auto size = static_cast<std::int64_t>(array.size());
  TIPHYS_TRY(std::int64_t from, bound(step->arguments[0], 0, place));
  TIPHYS_TRY(std::int64_t to, bound(step->arguments[1], size, place));
  TIPHYS_TRY(std::int64_t stride, bound(step->arguments[2], 1, place));
  if (stride == 0) return invalid("range: invalid token out of range");
  from = std::clamp<std::int64_t>(from < 0 ? from + size : from, 0, size);
  to = std::clamp<std::int64_t>(to < 0 ? to + size : to, 0, size);
  const bool back = stride < 0;
  stride = std::clamp<std::int64_t>(stride, -size - 1, size + 1);
  Elements elements;
  for (std::int64_t i = back ? to - 1 : from; i >= from && i < to; i += stride) {
    elements.push_back(&array[static_cast<std::size_t>(i)]);
  }
  return list(place.root, elements, step + 1, end);
}

Result<doc::Value> Query::unite(Place place, const Step* step, const Step* end) {
  Elements elements;
  bool keys = false;
  for (std::size_t i = 0; i < step->arguments.size(); ++i) {
    TIPHYS_TRY(const doc::Value value, computed(step->arguments[i], place));
    const auto number = integer_of(value);
    if (!number && !value.is_string()) return invalid("union: invalid token argument. expected [int string]");
    if (i > 0 && keys != value.is_string()) return invalid("union: keys and indices do not go together");
    keys = value.is_string();
    const doc::Value* found = nullptr;
    if (keys) {
      found = doc::find(place.current, value.get_string());
    } else if (const auto* array = place.current.if_array()) {
      found = element_at(*array, *number);
    }
    if (found) elements.push_back(found);
  }
  if (keys ? !place.current.is_object() : !place.current.is_array()) return wrong_target("union", place.current);
  return list(place.root, elements, step + 1, end);
}

/// An object's member of this name comes first.
Result<doc::Value> Query::length(Place place, const Step* step, const Step* end) {
  doc::Value length;
  if (const auto* object = place.current.if_object()) {
    if (object->contains("length")) return key(place, "length", step + 1, end);
    length = static_cast<std::int64_t>(object->size());
  } else if (const auto* array = place.current.if_array()) {
    length = static_cast<std::int64_t>(array->size());
  } else if (const auto* string = place.current.if_string()) {
    length = static_cast<std::int64_t>(string->size());
  } else {
    return wrong_target("length", place.current);
  }
  return apply({place.root, length}, step + 1, end);
}

/// Behind an index that follows a filter, "$" is what was filtered.
Result<doc::Value> Query::filter(Place place, const Step* step, const Step* end) {
  if (step->script->text.empty()) return invalid("invalid expression. is empty");
  if (!place.current.is_structured()) return wrong_target("filter", place.current);
  Elements kept;
  for (const doc::Value* element : elements_of(place.current)) {
    const auto value = evaluate(*step->script, {place.root, *element});
    if (!value && ends(value.error())) return value;
    if (value && truth(*value)) kept.push_back(element);
  }
  const bool picks = step + 1 != end && step[1].kind == Kind::kIndex;
  return list(picks ? place.current : place.root, kept, step + 1, end);
}

Result<doc::Value> Query::script(Place place, const Step* step, const Step* end) {
  TIPHYS_TRY(const doc::Value value, evaluate(*step->script, place));
  if (value.is_string()) return key(place, std::string(value.get_string()), step + 1, end);
  const auto number = integer_of(value);
  if (!number) return invalid("unexpected expression result. expected [int string]");
  return index(place, *number, step + 1, end);
}

Status Query::recurse(Place place, const Step* next, const Step* end, int depth, doc::Array& results) {
  if (place.current.is_null()) return {};
  if (depth > kDeepestValue) return fail(Code::kResourceExhausted, "the document is nested too deeply");
  auto found = apply(place, next, end);
  if (!found && ends(found.error())) return std::unexpected(found.error());
  if (found && found->is_array() && next != end) {
    for (doc::Value& element : found->get_array()) results.push_back(std::move(element));
  } else if (found && !found->is_null()) {
    results.push_back(std::move(*found));
  }
  for (const doc::Value* element : elements_of(place.current)) {
    TIPHYS_CHECK_OK(recurse({place.root, *element}, next, end, depth + 1, results));
  }
  return {};
}

}  // namespace json_path

Result<doc::Value> query_json_path(std::string_view path, const doc::Value& root) {
  if (path.size() > json_path::kLongest) return fail(Code::kInvalidArgument, "the JSONPath is longer than 16 KiB");
  if (!path.starts_with('$') && !path.starts_with('@')) {
    return fail(Code::kInvalidArgument, "the JSONPath '" + std::string(path) + "' does not begin with $");
  }
  json_path::Budget budget;
  TIPHYS_TRY(const json_path::Path steps, json_path::parse_path(path, budget));
  return json_path::Query().apply({root, root}, steps.data(), steps.data() + steps.size());
}

}  // namespace tiphys::expr
