// The lists of a strategic merge patch: how elements are told apart and in which order they end.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "doc/value.h"

namespace tiphys::doc::strategic {

/// What tells an element from others: a scalar itself, or an object's scalar under `key`. An error where there is none.
Result<std::string> identity(const Value& element, std::string_view key);

/// The first place of each identity in a list.
using Places = std::unordered_map<std::string, std::size_t>;
Result<Places> places(const Array& list, std::string_view key);

/// The kind of all elements of both lists. An error when there are none, when they differ, and for lists and nulls.
Result<boost::json::kind> element_kind(const Array& a, const Array& b);

/// Elements that `wanted` has come in its order, the others in that of `before`; both are interleaved as in `before`.
Status order(Array& list, const Places& wanted, const Places& before, std::string_view key);

/// Appends what `list` has not, and drops what it has twice, in the original's order.
Status unite(Array& list, const Array& more);
/// Drops from a list of scalars what `gone` has.
Status subtract(Array& list, const Array& gone);

}  // namespace tiphys::doc::strategic
