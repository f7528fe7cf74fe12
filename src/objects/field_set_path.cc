#include "objects/field_set_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "doc/go_json_string.h"

namespace tiphys::objects {
namespace {

/// The order of the kinds of values.
int rank(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
      return 0;
    case boost::json::kind::string:
      return 1;
    case boost::json::kind::bool_:
      return 2;
    case boost::json::kind::array:
      return 3;
    case boost::json::kind::object:
      return 4;
    case boost::json::kind::null:
      return 5;
  }
  return 5;
}

template <typename T>
std::strong_ordering order(const T& left, const T& right) {
  if (left < right) return std::strong_ordering::less;
  return right < left ? std::strong_ordering::greater : std::strong_ordering::equal;
}

std::strong_ordering compare_numbers(const doc::Value& left, const doc::Value& right) {
  if (left.is_int64() && right.is_int64()) return order(left.get_int64(), right.get_int64());
  return order(left.to_number<double>(), right.to_number<double>());
}

std::strong_ordering compare_lists(const doc::Array& left, const doc::Array& right) {
  return std::lexicographical_compare_three_way(left.begin(), left.end(), right.begin(), right.end(), compare_values);
}

std::vector<std::string_view> names_of(const doc::Object& object) {
  std::vector<std::string_view> names;
  names.reserve(object.size());
  for (const auto& member : object) names.push_back(member.key());
  std::ranges::sort(names);
  return names;
}

/// Member by member in the order of all their names; an object that lacks one comes later, one that ends comes first.
std::strong_ordering compare_objects(const doc::Object& left, const doc::Object& right) {
  const auto ours = names_of(left);
  const auto theirs = names_of(right);
  std::size_t i = 0;
  for (; i < ours.size() && i < theirs.size(); ++i) {
    if (ours[i] != theirs[i]) return ours[i] < theirs[i] ? std::strong_ordering::less : std::strong_ordering::greater;
    const auto order = compare_values(left.at(ours[i]), right.at(theirs[i]));
    if (order != 0) return order;
  }
  return order(ours.size(), theirs.size());
}

/// Key fields lie sorted by name.
std::strong_ordering compare_keys(const doc::Object& left, const doc::Object& right) {
  const auto compare = [](const doc::Object::value_type& a, const doc::Object::value_type& b) {
    const auto names = std::string_view(a.key()) <=> std::string_view(b.key());
    return names != 0 ? names : compare_values(a.value(), b.value());
  };
  return std::lexicographical_compare_three_way(left.begin(), left.end(), right.begin(), right.end(), compare);
}

/// JSON as Go's jsoniter writes it into managed fields: members by name, escaped for HTML.
void append_fields_json(std::string& out, const doc::Value& value) {
  if (const auto* text = value.if_string()) {
    doc::append_go_json_string(*text, true, out);
  } else if (const doc::Array* list = value.if_array()) {
    out += '[';
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (i > 0) out += ',';
      append_fields_json(out, (*list)[i]);
    }
    out += ']';
  } else if (const doc::Object* object = value.if_object()) {
    out += '{';
    bool first = true;
    for (const std::string_view name : names_of(*object)) {
      if (!first) out += ',';
      first = false;
      doc::append_go_json_string(name, false, out);
      out += ':';
      append_fields_json(out, object->at(name));
    }
    out += '}';
  } else {
    doc::append_json(out, value);
  }
}

/// As Go's %v writes a float: with an exponent below 1e-4 and from 1e6 on.
std::string float_text(double number) {
  if (number == 0) return "0";
  const double magnitude = std::abs(number);
  const bool exponent = magnitude < 1e-4 || magnitude >= 1e6;
  char buffer[64];
  const auto form = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), number, form).ptr;
  return {std::begin(buffer), end};
}

std::string value_text(const doc::Value& value) {
  if (const auto* text = value.if_string()) {
    std::string out;
    append_quoted(out, *text);
    return out;
  }
  if (const double* number = value.if_double()) return float_text(*number);
  std::string out;
  if (const doc::Array* list = value.if_array()) {
    for (const doc::Value& element : *list) out += (out.empty() ? "" : ",") + value_text(element);
    return "[" + out + "]";
  }
  if (const doc::Object* object = value.if_object()) {
    for (const auto& [name, member] : *object) out += fmt::format("{}={}", std::string_view(name), value_text(member));
    return out;
  }
  return doc::to_json(value);
}

/// Whole numbers of managed fields are floats, as the API server reads them.
void make_floats(doc::Value& value) {
  if (value.is_number()) {
    value = value.to_number<double>();
  } else if (doc::Array* list = value.if_array()) {
    for (doc::Value& element : *list) make_floats(element);
  } else if (doc::Object* object = value.if_object()) {
    for (auto& member : *object) make_floats(member.value());
  }
}

Result<doc::Value> parse_value(std::string_view text) {
  TIPHYS_TRY(doc::Value value, doc::parse_json(text));
  make_floats(value);
  return value;
}

}  // namespace

std::strong_ordering compare_values(const doc::Value& left, const doc::Value& right) {
  const int kind = rank(left);
  if (kind != rank(right)) return kind <=> rank(right);
  if (left.is_number()) return compare_numbers(left, right);
  if (left.is_string()) return std::string_view(left.get_string()) <=> std::string_view(right.get_string());
  if (left.is_bool()) return order(left.get_bool(), right.get_bool());
  if (left.is_array()) return compare_lists(left.get_array(), right.get_array());
  if (left.is_object()) return compare_objects(left.get_object(), right.get_object());
  return std::strong_ordering::equal;
}

bool same_value(const doc::Value& left, const doc::Value& right) {
  const doc::Object* ours = left.if_object();
  const doc::Object* theirs = right.if_object();
  if (ours && theirs) {
    return ours->size() == theirs->size() && std::ranges::all_of(*ours, [&](const auto& member) {
             const doc::Value* other = theirs->if_contains(member.key());
             return other && same_value(member.value(), *other);
           });
  }
  if (left.is_array() && right.is_array()) return std::ranges::equal(left.get_array(), right.get_array(), same_value);
  return compare_values(left, right) == 0;
}

PathElement PathElement::key(doc::Object fields) {
  if (std::ranges::is_sorted(fields, {}, [](const auto& field) { return std::string_view(field.key()); })) {
    return {Kind::kKey, std::move(fields)};
  }
  doc::Object sorted;
  for (const std::string_view name : names_of(fields)) sorted.emplace(name, std::move(fields.at(name)));
  return {Kind::kKey, std::move(sorted)};
}

std::string PathElement::fields_name() const {
  if (kind_ == Kind::kField) return "f:" + std::string(name());
  std::string out = kind_ == Kind::kKey ? "k:" : kind_ == Kind::kValue ? "v:" : "i:";
  append_fields_json(out, what_);
  return out;
}

Result<std::optional<PathElement>> PathElement::parse(std::string_view fields_name) {
  const auto malformed = [&](std::string_view why) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no field of managedFields: {}", fields_name, why));
  };
  if (fields_name.size() < 2) return malformed("it is too short");
  if (fields_name[1] != ':') return malformed("the colon is missing");
  const std::string_view rest = fields_name.substr(2);
  switch (fields_name[0]) {
    case 'f':
      return field(rest);
    case 'k': {
      auto fields = parse_value(rest);
      if (!fields) return malformed(fields.error().message);
      if (!fields->is_object()) return malformed("the key is no object");
      return key(std::move(fields->get_object()));
    }
    case 'v': {
      auto value = parse_value(rest);
      if (!value) return malformed(value.error().message);
      return PathElement::value(std::move(*value));
    }
    case 'i': {
      std::int64_t at = 0;
      const char* const end = rest.data() + rest.size();
      if (std::from_chars(rest.data(), end, at).ptr != end || rest.empty()) return malformed("the index is no number");
      return index(at);
    }
    default:
      return std::nullopt;
  }
}

std::string PathElement::text() const {
  switch (kind_) {
    case Kind::kField:
      return "." + std::string(name());
    case Kind::kKey: {
      std::string out;
      for (const auto& [name, value] : what_.get_object()) {
        out += fmt::format("{}{}={}", out.empty() ? "" : ",", std::string_view(name), value_text(value));
      }
      return "[" + out + "]";
    }
    case Kind::kValue:
      return "[=" + value_text(what_) + "]";
    case Kind::kIndex:
      break;
  }
  return fmt::format("[{}]", what_.get_int64());
}

std::strong_ordering PathElement::operator<=>(const PathElement& other) const {
  if (kind_ != other.kind_) return kind_ <=> other.kind_;
  if (kind_ == Kind::kKey) return compare_keys(what_.get_object(), other.what_.get_object());
  return compare_values(what_, other.what_);
}

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view kControls = "\a\b\t\n\v\f\r";  // 7 to 13
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (const auto at = kControls.find(c); at != std::string_view::npos) {
      out += '\\';
      out += "abtnvfr"[at];
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace tiphys::objects
