// What a compiled JSONPath finds.
#pragma once

#include <re2/re2.h>

#include <map>
#include <memory>
#include <string>

#include "expr/json_path_syntax.h"

namespace tiphys::expr::json_path {

/// What a step or script is applied to.
struct Place {
  const doc::Value& root;
  const doc::Value& current;
};

/// One query and what it may still do.
class Query {
 public:
  /// The value that the steps give.
  Result<doc::Value> apply(Place place, const Step* next, const Step* end);
  /// The value of a script.
  Result<doc::Value> evaluate(const Script& script, Place place);

  /// Whether an error ends the query, where another would only drop an element.
  static bool ends(const Error& error) { return error.code == Code::kResourceExhausted; }

 private:
  friend class Evaluation;
  using Elements = std::vector<const doc::Value*>;

  Status spend(std::size_t steps);
  Result<doc::Value> copy(const doc::Value& value);

  Result<doc::Value> each(const doc::Value& root, const Elements& elements, const Step* next, const Step* end);
  Result<doc::Value> list(const doc::Value& root, const Elements& elements, const Step* next, const Step* end);
  Result<doc::Value> key(Place place, const std::string& key, const Step* next, const Step* end);
  Result<doc::Value> index(Place place, std::int64_t index, const Step* next, const Step* end);
  Result<doc::Value> range(Place place, const Step* step, const Step* end);
  Result<doc::Value> unite(Place place, const Step* step, const Step* end);
  Result<doc::Value> length(Place place, const Step* step, const Step* end);
  Result<doc::Value> filter(Place place, const Step* step, const Step* end);
  Result<doc::Value> script(Place place, const Step* step, const Step* end);
  Status recurse(Place place, const Step* next, const Step* end, int depth, doc::Array& results);
  Result<doc::Value> computed(const Argument& argument, Place place);
  Result<std::int64_t> bound(const Argument& argument, std::int64_t absent, Place place);

  std::size_t steps_ = 0;
  std::map<std::string, std::unique_ptr<RE2>, std::less<>> patterns_;
};

}  // namespace tiphys::expr::json_path
