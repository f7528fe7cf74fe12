// The document type of the whole program: a JSON value (Boost.JSON), whose objects keep their insertion order.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::doc {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

/// A document that many read and nobody changes.
using Shared = std::shared_ptr<const Value>;

/// The member at the end of a path of keys, or nullptr. By value: literals of all lengths share one function.
template <typename... Keys>
const Value* find(const Value& value, std::string_view key, const Keys&... rest) {
  const Object* object = value.if_object();
  const Value* member = object ? object->if_contains(key) : nullptr;
  if constexpr (sizeof...(rest) == 0) {
    return member;
  } else {
    return member ? find(*member, rest...) : nullptr;
  }
}

/// The string at the end of a path of object keys; "" when it is missing or no string.
template <typename... Keys>
std::string_view find_string(const Value& value, const Keys&... path) {
  const Value* member = find(value, std::string_view(path)...);
  const boost::json::string* text = member ? member->if_string() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

/// The object under `key`, made when it is missing or no object.
Object& ensure_object(Object& parent, std::string_view key);

/// Parses one JSON text (at most 64 levels deep); an error names the offset.
Result<Value> parse_json(std::string_view text);
/// Compact JSON. Numbers, escapes and key order as Go's encoding/json without HTML escaping; keys in insertion order.
std::string to_json(const Value& value);
/// The same, appended to `out`.
void append_json(std::string& out, const Value& value);
void append_json_string(std::string& out, std::string_view text);
/// Indented JSON, `indent` spaces a level.
std::string to_pretty_json(const Value& value, int indent = 4);
/// The text that a JSON scalar stands for where only strings are known (Argo's AnyString, `{{item}}`): strings as they
/// are, numbers and booleans as JSON writes them, anything else as compact JSON.
std::string scalar_text(const Value& value);

}  // namespace tiphys::doc
