// The JSONPath of Argo's function jsonpath (github.com/evilmonkeyinc/jsonpath), which is not kubectl's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "doc/value.h"

namespace tiphys::expr {

/// Keys, indices, ranges, unions, wildcards, `..`, `.length` and filters. A path of keys and indices gives what is
/// there or an error; the others give an array.
Result<doc::Value> query_json_path(std::string_view path, const doc::Value& root);

namespace json_path {

struct Filter;

struct Step {
  enum class Kind { kKey, kIndex, kRange, kKeys, kIndices, kWildcard, kRecursive, kLength, kFilter };
  Kind kind = Kind::kKey;
  std::vector<std::string> keys;
  std::vector<std::int64_t> indices;
  std::optional<std::int64_t> from, to, step;
  std::shared_ptr<const Filter> filter;
};
using Path = std::vector<Step>;

/// One query: the root, and what it may still do.
struct Query {
  const doc::Value& root;
  std::uint64_t steps = 0;

  Result<doc::Value> apply(const doc::Value& current, const Step* next, const Step* end);
};

/// The steps after `$` or `@`, up to the end of the text.
Result<Path> parse_steps(std::string_view text, int depth);
Result<std::shared_ptr<const Filter>> parse_filter(std::string_view text, int depth);
/// True when the filter holds for the element. What goes wrong inside is false.
bool holds(const Filter& filter, Query& query, const doc::Value& element);
/// How far the `$...` or `@...` at the beginning of a filter's operand reaches.
std::size_t path_length(std::string_view text);

}  // namespace json_path
}  // namespace tiphys::expr
