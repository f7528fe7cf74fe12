// The syntax of gjson's paths, read one part at a time: what a part means depends on the value that it meets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiphys::doc::gjson {

/// What follows a part: nothing, a path into the value, or (after `|`) a path for the result.
struct PathRest {
  std::string_view path = {};
  std::string_view pipe = {};
  bool more = false;
  bool piped = false;
};

/// A part that meets an object.
struct KeyPart {
  std::string key;  ///< without escapes
  bool wild = false;
  PathRest rest;
};
KeyPart read_key_part(std::string_view path);

/// `#(path op value)`, or `#(path op value)#` for all that match.
struct Query {
  std::string_view path;
  std::string_view op;  ///< "" asks whether the path exists
  std::string value;
  bool all = false;
};

/// A part that meets an array.
struct ElementPart {
  std::string_view text;
  bool counts = false;                                  ///< has a #: the length, or all elements
  std::optional<std::string_view> each = std::nullopt;  ///< `#.PATH`: the path within every element
  std::optional<Query> query = std::nullopt;
  PathRest rest = {};
};
ElementPart read_element_part(std::string_view path);

/// Parts a path at its first pipe outside of queries, if it has one.
std::optional<std::pair<std::string_view, std::string_view>> split_pipe(std::string_view path);

/// The members of a multipath.
struct Selector {
  std::string_view name;  ///< "" when it has none
  std::string_view path;
};
struct Selectors {
  std::vector<Selector> members;
  std::string_view rest;
};
/// Of `{a,b}` or `[a,b]` at the start of the path; nothing when the bracket is not closed.
std::optional<Selectors> read_selectors(std::string_view path);
/// The key under which a member without a name is stored.
std::string_view default_name(std::string_view path);

/// `!LITERAL` or `@MODIFIER:ARGUMENT` at the start of a path.
struct Literal {
  std::string_view json;
  std::string_view rest;
};
std::optional<Literal> read_literal(std::string_view path);

struct ModifierCall {
  std::string_view name;
  std::string_view argument;
  std::string_view rest;
};
/// Nothing when there is no modifier of that name.
std::optional<ModifierCall> read_modifier(std::string_view path);

}  // namespace tiphys::doc::gjson
