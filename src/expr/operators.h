// The operators of expr-lang on values.
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "doc/value.h"
#include "expr/ast.h"

namespace tiphys::expr {

/// The operators that need both values: arithmetic, comparison, in, contains, startsWith, endsWith. Errors are
/// expr-lang's.
Result<doc::Value> apply_binary(Op op, const doc::Value& left, const doc::Value& right);
/// How many integers `first..last` has; nullopt when they are more than an evaluation may make.
std::optional<std::size_t> range_size(std::int64_t first, std::int64_t last);
Result<doc::Value> negate(const doc::Value& value);

/// Numbers of all kinds by value, arrays by element, the rest by kind and content.
bool values_equal(const doc::Value& left, const doc::Value& right);
/// An error when the two have no order: numbers and strings have.
Result<bool> value_less(const doc::Value& left, const doc::Value& right);
bool is_number(const doc::Value& value);
double to_double(const doc::Value& number);

/// A member of a map, an element of an array (from the end when negative), a byte of a string. A key that the map has
/// not is null.
Result<doc::Value> fetch(doc::Value base, const doc::Value& property);
/// The same without a copy, for maps and arrays; null as for fetch.
Result<const doc::Value*> fetch_reference(const doc::Value& base, const doc::Value& property);
Result<doc::Value> slice(const doc::Value& base, const doc::Value* from, const doc::Value* to);

/// "int", "string", "nil": the words of expr-lang's function type.
std::string_view type_word(const doc::Value& value);

}  // namespace tiphys::expr
