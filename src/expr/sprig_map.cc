// sprig's functions of dictionaries. Nothing is changed in place: set and unset give a changed copy.
#include <algorithm>

#include "expr/arguments.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/sprig_cast.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

/// A map that is not nil.
Result<const doc::Object*> some_map(Arguments arguments, std::size_t index) {
  return arguments[index]->is_null() ? map_argument(arguments, index) : map_or_empty(arguments, index);
}

Value dict(Arguments arguments) {
  doc::Object map;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    map.insert_or_assign(sprig_string(*arguments[i]), i + 1 < arguments.size() ? *arguments[i + 1] : doc::Value(""));
  }
  return doc::Value(std::move(map));
}

Value get(Arguments arguments) {
  TIPHYS_TRY(const auto* map, map_or_empty(arguments, 0));
  TIPHYS_TRY(const auto key, text_or_empty(arguments, 1));
  const doc::Value* value = map->if_contains(key);
  return value ? *value : doc::Value("");
}

Value set(Arguments arguments) {
  TIPHYS_TRY(const auto* map, some_map(arguments, 0));
  TIPHYS_TRY(const auto key, text_or_empty(arguments, 1));
  doc::Object changed = *map;
  changed.insert_or_assign(key, *arguments[2]);
  return doc::Value(std::move(changed));
}

Value unset(Arguments arguments) {
  if (arguments[0]->is_null()) return doc::Value();
  TIPHYS_TRY(const auto* map, some_map(arguments, 0));
  TIPHYS_TRY(const auto key, text_or_empty(arguments, 1));
  doc::Object changed = *map;
  changed.erase(key);
  return doc::Value(std::move(changed));
}

Result<std::vector<std::string_view>> keys_from(Arguments arguments, std::size_t first) {
  std::vector<std::string_view> keys;
  for (std::size_t i = first; i < arguments.size(); ++i) {
    TIPHYS_TRY(const auto key, text_or_empty(arguments, i));
    keys.push_back(key);
  }
  return keys;
}

template <bool keep>
Value choose(Arguments arguments) {
  TIPHYS_TRY(const auto* map, map_or_empty(arguments, 0));
  TIPHYS_TRY(const auto keys, keys_from(arguments, 1));
  doc::Object chosen;
  for (const auto& [key, value] : *map) {
    const bool named = std::ranges::find(keys, std::string_view(key)) != keys.end();
    if (named == keep) chosen.insert_or_assign(key, value);
  }
  return doc::Value(std::move(chosen));
}

Value has_key(Arguments arguments) {
  TIPHYS_TRY(const auto* map, map_or_empty(arguments, 0));
  TIPHYS_TRY(const auto key, text_or_empty(arguments, 1));
  return doc::Value(map->contains(key));
}

Value pluck(Arguments arguments) {
  TIPHYS_TRY(const auto key, text_or_empty(arguments, 0));
  doc::Array values;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    TIPHYS_TRY(const auto* map, map_or_empty(arguments, i));
    if (const doc::Value* value = map->if_contains(key)) values.push_back(*value);
  }
  return doc::Value(std::move(values));
}

Value keys(Arguments arguments) {
  doc::Array result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    TIPHYS_TRY(const auto* map, map_or_empty(arguments, i));
    for (const auto& member : *map) result.emplace_back(member.key());
  }
  return doc::Value(std::move(result));
}

Value values(Arguments arguments) {
  TIPHYS_TRY(const auto* map, map_or_empty(arguments, 0));
  doc::Array result;
  for (const auto& member : *map) result.push_back(member.value());
  return doc::Value(std::move(result));
}

bool is_map(const doc::Value& value) {
  return value.is_object() && !go_kind(value);
}

/// The members of a map, be it one of any or of strings.
const doc::Object* members(const doc::Value& value) {
  return is_map(value) ? &value.get_object() : go_string_map(value);
}

/// What `into` has and is not empty stays, unless `overwrite`; maps are merged member by member. nil only overwrites.
void merge_into(doc::Object& into, const doc::Object& from, bool overwrite) {
  for (const auto& [key, value] : from) {
    doc::Value* there = into.if_contains(key);
    if (value.is_null()) {
      if (overwrite) into.insert_or_assign(key, value);
      continue;
    }
    if (const doc::Object* more = members(value); more && there && is_map(*there)) {
      merge_into(there->get_object(), *more, overwrite);
      if (!there->get_object().empty()) continue;
    }
    if (!there || overwrite || sprig_empty(*there)) into.insert_or_assign(key, value);
  }
}

template <bool overwrite>
Value merge(Arguments arguments) {
  TIPHYS_TRY(const auto* first, map_or_empty(arguments, 0));
  doc::Object merged = *first;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    TIPHYS_TRY(const auto* map, map_or_empty(arguments, i));
    merge_into(merged, *map, overwrite);
  }
  return doc::Value(std::move(merged));
}

Value dig(Arguments arguments) {
  const std::size_t count = arguments.size() - 2;
  TIPHYS_TRY(const auto* map, some_map(arguments, count + 1));
  for (std::size_t i = 0; i < count; ++i) {
    TIPHYS_TRY(const auto key, text_argument(arguments, i));
    const doc::Value* member = map->if_contains(key);
    if (!member) return *arguments[count];
    if (i + 1 == count) return *member;
    map = is_map(*member) ? member->if_object() : nullptr;
    if (!map) return bad_argument("dig: " + std::string(key) + " is " + std::string(go_type(*member)) + ", not a map");
  }
  return doc::Value();
}

constexpr Function kFunctions[] = {
    {"dict", 0, Function::kAny, dict},
    {"get", 2, 2, get},
    {"set", 3, 3, set},
    {"unset", 2, 2, unset},
    {"hasKey", 2, 2, has_key},
    {"pluck", 1, Function::kAny, pluck},
    {"keys", 0, Function::kAny, keys},
    {"values", 1, 1, values},
    {"pick", 1, Function::kAny, choose<true>},
    {"omit", 1, Function::kAny, choose<false>},
    {"merge", 1, Function::kAny, merge<false>},
    {"mustMerge", 1, Function::kAny, merge<false>},
    {"mergeOverwrite", 1, Function::kAny, merge<true>},
    {"mustMergeOverwrite", 1, Function::kAny, merge<true>},
    {"dig", 3, Function::kAny, dig},
};

}  // namespace

std::span<const Function> sprig_map_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr
