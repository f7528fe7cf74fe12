// sprig's functions of lists.
#include <algorithm>
#include <memory>

#include "expr/arguments.h"
#include "expr/go_strings.h"
#include "expr/go_value.h"
#include "expr/operators.h"
#include "expr/sprig_cast.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

/// A list, or the elements of bytes.
using List = std::shared_ptr<const doc::Array>;

List list_of(const doc::Value& value) {
  if (const auto* array = value.if_array()) return List(List(), array);  // the argument stays its owner
  const auto bytes = go_bytes(value);
  if (!bytes) return nullptr;
  auto elements = std::make_shared<doc::Array>();
  for (const char byte : *bytes) elements->push_back(static_cast<std::int64_t>(static_cast<unsigned char>(byte)));
  return elements;
}

/// The list, or sprig's words for what is none: "Cannot find first on type string".
Result<List> list_for(Arguments arguments, std::size_t index, std::string_view complaint, std::string_view end = "") {
  List list = list_of(*arguments[index]);
  if (list) return list;
  return bad_argument(std::string(complaint) + " type " + std::string(go_kind_word(*arguments[index])) +
                      std::string(end));
}

bool contains(const doc::Array& array, const doc::Value& value) {
  return std::ranges::find(array, value) != array.end();
}

Value list(Arguments arguments) {
  doc::Array array;
  for (const doc::Value* argument : arguments) array.push_back(*argument);
  return doc::Value(std::move(array));
}

Value append(Arguments arguments) {
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "Cannot push on"));
  doc::Array result = *array;
  result.push_back(*arguments[1]);
  return doc::Value(std::move(result));
}

Value prepend(Arguments arguments) {
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "Cannot prepend on"));
  doc::Array result = *array;
  result.insert(result.begin(), *arguments[1]);
  return doc::Value(std::move(result));
}

Value first(Arguments arguments) {
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "Cannot find first on"));
  return array->empty() ? doc::Value() : array->front();
}

Value last(Arguments arguments) {
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "Cannot find last on"));
  return array->empty() ? doc::Value() : array->back();
}

Value rest(Arguments arguments) {
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "Cannot find rest on"));
  if (array->empty()) return doc::Value(doc::Array());
  return doc::Value(doc::Array(array->begin() + 1, array->end()));
}

Value initial(Arguments arguments) {
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "Cannot find initial on"));
  if (array->empty()) return doc::Value(doc::Array());
  return doc::Value(doc::Array(array->begin(), array->end() - 1));
}

Value reverse(Arguments arguments) {
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "Cannot find reverse on"));
  return doc::Value(doc::Array(std::make_reverse_iterator(array->end()), std::make_reverse_iterator(array->begin())));
}

Value uniq(Arguments arguments) {
  constexpr std::size_t kMost = 10000;  // each is compared with all before it
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "Cannot find uniq on"));
  if (array->size() > kMost) return fail(Code::kResourceExhausted, "uniq takes at most 10000 elements");
  doc::Array result;
  for (const doc::Value& element : *array) {
    if (!contains(result, element)) result.push_back(element);
  }
  return doc::Value(std::move(result));
}

Value compact(Arguments arguments) {
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "Cannot compact on"));
  doc::Array result;
  for (const doc::Value& element : *array) {
    if (!sprig_empty(element)) result.push_back(element);
  }
  return doc::Value(std::move(result));
}

Value without(Arguments arguments) {
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "Cannot find without on"));
  doc::Array result;
  for (const doc::Value& element : *array) {
    const auto same = [&](const doc::Value* omitted) { return *omitted == element; };
    if (std::ranges::none_of(arguments.subspan(1), same)) result.push_back(element);
  }
  return doc::Value(std::move(result));
}

Value has(Arguments arguments) {
  if (arguments[1]->is_null()) return doc::Value(false);
  TIPHYS_TRY(const auto array, list_for(arguments, 1, "Cannot find has on"));
  return doc::Value(contains(*array, *arguments[0]));
}

Value slice(Arguments arguments) {
  TIPHYS_TRY(const auto array, list_for(arguments, 0, "list should be slice or array, not"));
  if (array->empty()) return doc::Value();
  const auto size = static_cast<std::int64_t>(array->size());
  const std::int64_t start = arguments.size() > 1 ? sprig_int(*arguments[1]) : 0;
  const std::int64_t end = arguments.size() > 2 ? sprig_int(*arguments[2]) : size;
  if (start < 0 || end < start || end > size) return bad_argument("slice index out of bounds");
  return doc::Value(doc::Array(array->begin() + start, array->begin() + end));
}

Value concat(Arguments arguments) {
  doc::Array result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    TIPHYS_TRY(const auto array, list_for(arguments, i, "Cannot concat", " as list"));
    result.insert(result.end(), array->begin(), array->end());
  }
  return doc::Value(std::move(result));
}

Value chunk(Arguments arguments) {
  TIPHYS_TRY(const auto size, int_or_zero(arguments, 0));
  TIPHYS_TRY(const auto array, list_for(arguments, 1, "Cannot chunk"));
  doc::Array chunks;
  // The original reckons with a negative size, too, and may find one chunk or none.
  const auto count = static_cast<std::int64_t>(array->size());
  if (size < -1 && count == 1) return doc::Value(doc::Array{doc::Value(*array)});
  if (size < 0 && count > 1 && size <= 1 - count) return doc::Value(std::move(chunks));
  if (size <= 0) return bad_argument("the size of chunks must be positive");
  for (const doc::Value& element : *array) {
    if (chunks.empty() || static_cast<std::int64_t>(chunks.back().get_array().size()) == size) {
      chunks.emplace_back(doc::Array());
    }
    chunks.back().get_array().push_back(element);
  }
  return doc::Value(std::move(chunks));
}

doc::Array to_strings(const doc::Value& value) {
  doc::Array result;
  if (const List list = list_of(value)) {
    for (const doc::Value& element : *list) {
      if (!element.is_null()) result.emplace_back(sprig_string(element));
    }
  } else if (!value.is_null()) {
    result.emplace_back(sprig_string(value));
  }
  return result;
}

Value strings(Arguments arguments) {
  return doc::Value(to_strings(*arguments[0]));
}

Value join(Arguments arguments) {
  TIPHYS_TRY(const auto separator, text_or_empty(arguments, 0));
  std::string result;
  bool first_part = true;
  for (const doc::Value& part : to_strings(*arguments[1])) {
    if (!first_part) result += separator;
    first_part = false;
    result += std::string_view(part.get_string());
  }
  return doc::Value(result);
}

Value sort_alpha(Arguments arguments) {
  if (!list_of(*arguments[0])) return doc::Value(doc::Array{doc::Value(sprig_string(*arguments[0]))});
  doc::Array strings = to_strings(*arguments[0]);
  std::vector<std::string> sorted;
  for (const doc::Value& string : strings) sorted.emplace_back(string.get_string());
  std::ranges::sort(sorted);
  doc::Array result;
  for (const std::string& string : sorted) result.emplace_back(string);
  return doc::Value(std::move(result));
}

/// As Go's map of strings: a part that is not there is "".
doc::Value numbered(const std::vector<std::string_view>& parts) {
  doc::Object map;
  for (std::size_t i = 0; i < parts.size(); ++i) map.insert_or_assign("_" + std::to_string(i), parts[i]);
  return make_go_value(GoKind::kStringMap, std::move(map));
}

Value split(Arguments arguments) {
  TIPHYS_TRY(const auto separator, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  return numbered(go_split(text, separator));
}

Value split_n(Arguments arguments) {
  TIPHYS_TRY(const auto separator, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto most, int_or_zero(arguments, 1));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 2));
  return numbered(go_split(text, separator, most));
}

Value split_list(Arguments arguments) {
  TIPHYS_TRY(const auto separator, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  return texts(go_split(text, separator));
}

constexpr Function kFunctions[] = {
    {"list", 0, Function::kAny, list},
    {"tuple", 0, Function::kAny, list},
    {"append", 2, 2, append},
    {"push", 2, 2, append},
    {"mustAppend", 2, 2, append},
    {"mustPush", 2, 2, append},
    {"prepend", 2, 2, prepend},
    {"mustPrepend", 2, 2, prepend},
    {"first", 1, 1, first},
    {"mustFirst", 1, 1, first},
    {"last", 1, 1, last},
    {"mustLast", 1, 1, last},
    {"rest", 1, 1, rest},
    {"mustRest", 1, 1, rest},
    {"initial", 1, 1, initial},
    {"mustInitial", 1, 1, initial},
    {"reverse", 1, 1, reverse},
    {"mustReverse", 1, 1, reverse},
    {"uniq", 1, 1, uniq},
    {"mustUniq", 1, 1, uniq},
    {"compact", 1, 1, compact},
    {"mustCompact", 1, 1, compact},
    {"without", 1, Function::kAny, without},
    {"mustWithout", 1, Function::kAny, without},
    {"has", 2, 2, has},
    {"mustHas", 2, 2, has},
    {"slice", 1, Function::kAny, slice},
    {"mustSlice", 1, Function::kAny, slice},
    {"concat", 0, Function::kAny, concat},
    {"chunk", 2, 2, chunk},
    {"mustChunk", 2, 2, chunk},
    {"toStrings", 1, 1, strings},
    {"join", 2, 2, join},
    {"sortAlpha", 1, 1, sort_alpha},
    {"split", 2, 2, split},
    {"splitn", 3, 3, split_n},
    {"splitList", 2, 2, split_list},
};

}  // namespace

std::span<const Function> sprig_list_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr
