// The parsed form of a JSONPath template.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "doc/value.h"

namespace tiphys::doc::jsonpath {

struct Step;
using Path = std::vector<Step>;

/// A side of a filter's comparison: a path from the element, or a literal.
struct Operand {
  std::optional<Path> path;
  Value literal;
};

struct Filter {
  Operand left;
  std::string op;  ///< "" asks only whether the left side exists
  Operand right;
};

struct Field {
  std::string name;
};
struct Slice {
  std::optional<int> start, end;
  int step = 1;
  bool single = false;  ///< an index: the element at `start`
};
struct Wildcard {};
struct Descent {};
struct Union {
  std::vector<Path> members;
};
struct Root {};

struct Step {
  std::variant<Root, Field, Slice, Wildcard, Descent, Filter, Union> what;
};

/// A piece of a template: text, a path whose results are printed, or a range over a path's results.
struct Piece {
  std::string text;
  std::optional<Path> path;
  std::vector<Piece> body;
  bool range = false;
};

Result<std::vector<Piece>> parse(std::string_view text);

}  // namespace tiphys::doc::jsonpath
