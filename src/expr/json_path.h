// The JSONPath of Argo's function jsonpath (github.com/evilmonkeyinc/jsonpath 0.8.1), which is not kubectl's. What it
// gives is followed to the letter, oddities included: an operand of && must be a boolean or "1", "t" and the like; a
// list behind `in` holds JSON strings, which equal no string of the document; operators split at their first place.
#pragma once

#include <string_view>

#include "doc/value.h"

namespace tiphys::expr {

/// Keys, indices, ranges, unions, wildcards, `..`, `.length`, scripts `[(@.length-1)]` and filters `[?(@.a < 1)]`. A
/// path of keys, indices and scripts gives what is there or an error; the others give an array of what is not null.
/// Lengths are integers, all other numbers of `root` should be floats. Errors: a malformed path, a key or index that is
/// not there, a value of another type than a step needs, a path of more than 16 KiB or 1000
/// steps, too much to look at or to copy.
Result<doc::Value> query_json_path(std::string_view path, const doc::Value& root);

}  // namespace tiphys::expr
