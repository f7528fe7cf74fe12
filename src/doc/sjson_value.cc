#include "doc/sjson_value.h"

#include <algorithm>
#include <vector>

#include "doc/gjson/scan.h"
#include "doc/go_json_string.h"

namespace tiphys::doc {
namespace {

/// json.Marshal: keys are sorted, strings escaped for HTML.
void append_marshalled(const Value& value, std::string& out) {
  if (const auto* text = value.if_string()) {
    append_go_json_string(*text, true, out);
  } else if (const Array* array = value.if_array()) {
    out += '[';
    for (const Value& element : *array) {
      if (&element != array->data()) out += ',';
      append_marshalled(element, out);
    }
    out += ']';
  } else if (const Object* object = value.if_object()) {
    std::vector<const Object::value_type*> members;
    for (const auto& member : *object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
    out += '{';
    for (const auto* member : members) {
      if (member != members.front()) out += ',';
      append_go_json_string(member->key(), true, out);
      out += ':';
      append_marshalled(member->value(), out);
    }
    out += '}';
  } else {
    append_json(out, value);
  }
}

}  // namespace

void append_sjson_string(std::string_view text, std::string& out) {
  const bool plain = std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= ' ' && byte <= 0x7F && c != '"' && c != '\\';
  });
  if (!plain) return append_go_json_string(text, true, out);
  out += '"';
  out += text;
  out += '"';
}

std::string to_sjson(const Value& value) {
  std::string raw;
  if (const auto* text = value.if_string()) {
    append_sjson_string(*text, raw);
  } else if (const double* number = value.if_double()) {
    raw = gjson::fixed_text(*number);
  } else {
    append_marshalled(value, raw);
  }
  return raw;
}

}  // namespace tiphys::doc
