// The parsed form of a JSONPath template, node for node that of k8s.io/client-go/util/jsonpath.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "doc/value.h"

namespace tiphys::doc::jsonpath {

struct Node;
/// What follows one another: each node turns the values before it into others.
using List = std::vector<Node>;

struct Text {
  std::string text;
};
/// A number or boolean: one for each value before it.
struct Literal {
  Value value;
};
/// "range" or "end"; any other is an error once it is reached.
struct Word {
  std::string name;
};
struct Field {
  std::string name;
};
struct Bound {
  std::int64_t value = 0;
  bool known = false;
};
/// [start:end:step], or [start]: then the end is the one behind it, and `single`.
struct Slice {
  Bound start, end, step;
  bool single = false;
};
struct Wildcard {};
struct Descent {};
struct Filter {
  List left;
  std::string op;  ///< "" asks only whether there is a left side
  List right;
};
struct Union {
  std::vector<List> members;
};
/// What stands between braces.
struct Action {
  List nodes;
};

struct Node {
  std::variant<Text, Literal, Word, Field, Slice, Wildcard, Descent, Filter, Union, Action> what;
};

/// The texts and actions of a template of at most 8 KiB. An error names the column.
Result<List> parse(std::string_view text);

/// As fmt.Print of a value that came from JSON: lists and objects as JSON with sorted keys.
void append_text(const Value& value, std::string& out);

/// What a text in single or double quotes, both included, stands for: Go's escapes. False for a malformed one.
bool unquote(std::string_view quoted, std::string& out);

}  // namespace tiphys::doc::jsonpath
