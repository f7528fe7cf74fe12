#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "doc/jsonpath_syntax.h"

namespace tiphys::doc::jsonpath {
namespace {

/// Integers beyond 63 bits are floats in Go.
Value sorted(const Value& value) {
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  if (const Array* array = value.if_array()) {
    Array out;
    out.reserve(array->size());
    for (const Value& element : *array) out.push_back(sorted(element));
    return out;
  }
  const Object* object = value.if_object();
  if (!object) return value;
  std::vector<const Object::value_type*> members;
  for (const auto& member : *object) members.push_back(&member);
  std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
  Object out(object->size());
  for (const auto* member : members) out.emplace(member->key(), sorted(member->value()));
  return out;
}

/// As encoding/json writes it, HTML's characters escaped: they stand in strings only.
void append_compact(const Value& value, std::string& out) {
  for (const char c : to_json(sorted(value))) {
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else {
      out += c;
    }
  }
}

}  // namespace

void append_text(const Value& value, std::string& out) {
  if (value.is_structured()) return append_compact(value, out);
  if (!value.is_double() && !value.is_uint64()) {
    out += scalar_text(value);
    return;
  }
  char buffer[64];
  const double number = value.to_number<double>();
  const char* const end =
      std::to_chars(std::begin(buffer), std::end(buffer), number, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const double size = std::abs(number);
  if (size == 0 || (size >= 1e-4 && size < 1e6)) {
    out += to_json(Value(number));
  } else {
    out += text;
  }
}

}  // namespace tiphys::doc::jsonpath
