#include "api/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/any_string.h"
#include "api/kubernetes_types.h"
#include "base/strings.h"
#include "doc/yaml.h"

namespace tiphys::api {
namespace {

std::string_view kind_name(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "a boolean";
    case boost::json::kind::string:
      return "a string";
    case boost::json::kind::array:
      return "a list";
    case boost::json::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

bool scalar(const doc::Value& value) {
  return !value.is_structured() && !value.is_null();
}

template <typename T>
void read_integer(const Place& place, T& out) {
  boost::json::error_code ec;
  if (place.value().is_number()) out = place.value().to_number<T>(ec);
  if (!place.value().is_number() || ec) place.wrong_type("a whole number");
}

std::string below(const std::string& where, const std::string& path) {
  return where.empty() ? path : where + "." + path;
}

/// A part of this object that is written and takes such a field.
std::optional<std::string> written_below(const Place& parent, std::string_view name, const FieldTable& known) {
  for (std::size_t i = 0; i < known.size(); ++i) {
    const FieldInfo field = known[i];
    const bool object = field.shape->fields && field.shape->around == Shape::Around::kNothing;
    if (!object || !doc::find(parent.value(), field.name)) continue;
    if (field.shape->fields->find(name)) return std::string(field.name);
    if (const auto path = find_below(*field.shape->fields, name)) return below(std::string(field.name), *path);
  }
  return std::nullopt;
}

/// "; it belongs in spec.templates[0].resource", "; did you mean ...", or "".
std::string where_it_belongs(const Place& parent, std::string_view name, const FieldTable& known) {
  const std::string where = parent.name();
  if (const auto path = written_below(parent, name, known)) {
    return fmt::format("; it belongs in {}", below(where, *path));
  }
  std::string meant = did_you_mean(name, known.names());
  if (!meant.empty()) return meant;
  for (const Place* above = parent.parent(); above; above = above->parent()) {
    const auto shape = above->shape();
    if (!shape || !shape->fields || !above->value().is_object() || !shape->fields->find(name)) continue;
    return above->parent() ? fmt::format("; it belongs in {}", above->name()) : "; it belongs at the top";
  }
  const auto path = find_below(known, name);
  return path ? fmt::format("; it belongs in {}", below(where, *path)) : "";
}

/// Of what is carried along: its form. A tag may stand for any scalar.
void check_scalar(const Place& place, Shape::Type type) {
  const doc::Value& value = place.value();
  const auto* text = value.if_string();
  const bool tagged = text && text->find("{{") != text->npos;
  switch (type) {
    case Shape::Type::kAny:
      return;
    case Shape::Type::kObject:
      expect_object(place);
      return;
    case Shape::Type::kString:
      if (!text) place.wrong_type("a string");
      return;
    case Shape::Type::kBoolean:
      if (!value.is_bool() && !tagged) place.wrong_type("true or false");
      return;
    case Shape::Type::kInteger:
      if (!value.is_int64() && !tagged) place.wrong_type("a whole number");
      return;
    case Shape::Type::kNumber:
      if (!value.is_number() && !tagged) place.wrong_type("a number");
      return;
    case Shape::Type::kText:
      read_scalar(place);
      return;
    case Shape::Type::kIntOrString:
      read_int_or_string(place);
      return;
  }
}

void check_choice(const Place& place, std::span<const std::string_view> choices) {
  const auto* text = place.value().if_string();
  if (!text) return place.wrong_type("a string");
  if (text->find("{{") != text->npos || std::ranges::find(choices, std::string_view(*text)) != choices.end()) return;
  const std::vector<std::string> known(choices.begin(), choices.end());
  place.error(fmt::format("{}: \"{}\" is none of {}{}", place.name(), std::string_view(*text), join(known, ", "),
                          did_you_mean(*text, known)));
}

/// What says as much as a field that is left out: generators write such.
bool says_nothing(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return true;
    case boost::json::kind::bool_:
      return !value.get_bool();
    case boost::json::kind::string:
      return value.get_string().empty();
    case boost::json::kind::array:
      return value.get_array().empty();
    case boost::json::kind::object:
      return value.get_object().empty();
    default:
      return false;
  }
}

}  // namespace

std::optional<Shape> Place::shape() const {
  if (!parent_) return reading_.shape ? std::optional(*reading_.shape) : std::nullopt;
  std::optional<Shape> around = parent_->shape();
  if (!around) return std::nullopt;
  if (index_ != kNoIndex || around->around == Shape::Around::kMap) {
    const bool lists = around->around == Shape::Around::kListOfLists;
    around->around = lists ? Shape::Around::kList : Shape::Around::kNothing;
    return around;
  }
  const auto field = around->fields ? around->fields->find(key_) : std::nullopt;
  return field ? std::optional(*field->shape) : std::nullopt;
}

std::string Place::name() const {
  if (!parent_) return "";
  std::string text = parent_->name();
  if (index_ != kNoIndex) return text + fmt::format("[{}]", index_);
  if (!text.empty()) text += '.';
  return text += key_;
}

std::string Place::pointer() const {
  if (!parent_) return "";
  if (index_ != kNoIndex) return parent_->pointer() + fmt::format("/{}", index_);
  return parent_->pointer() + doc::pointer_step(key_);
}

void Place::report(Finding::Severity severity, bool at_key, std::string message) const {
  reading_.findings.push_back({severity, pointer(), at_key, std::move(message)});
}

void Place::wrong_type(std::string_view what) const {
  const bool quotable = what == "a string" && scalar(value_);
  error(fmt::format("{} must be {}, not {}{}", parent_ ? name() : "the document", what, kind_name(value_),
                    quotable ? "; quote it" : ""));
}

bool expect_object(const Place& place) {
  if (place.value().is_object()) return true;
  place.wrong_type("an object");
  return false;
}

bool expect_array(const Place& place) {
  if (place.value().is_array()) return true;
  place.wrong_type("a list");
  return false;
}

void read(const Place& place, std::string& out) {
  if (const auto* text = place.value().if_string()) {
    out = *text;
  } else {
    place.wrong_type("a string");
  }
}

void read(const Place& place, bool& out) {
  if (const bool* flag = place.value().if_bool()) {
    out = *flag;
  } else {
    place.wrong_type("true or false");
  }
}

void read(const Place& place, std::int64_t& out) {
  read_integer(place, out);
}

void read(const Place& place, int& out) {
  read_integer(place, out);
}

void read(const Place& place, double& out) {
  boost::system::error_code error;
  out = place.value().to_number<double>(error);
  if (error) place.wrong_type("a number");
}

void read(const Place& place, std::map<std::string, std::string>& out) {
  if (!expect_object(place)) return;
  for (const auto& [key, value] : place.value().get_object()) {
    read(place.member(key, value), out[std::string(key)]);
  }
}

void read(const Place& place, doc::Object& out) {
  if (expect_object(place)) out = place.value().get_object();
}

std::string read_scalar(const Place& place) {
  if (scalar(place.value())) return doc::scalar_text(place.value());
  place.wrong_type("a string, a number or a boolean");
  return {};
}

std::string read_any_string(const Place& place) {
  if (!scalar(place.value())) {
    place.warn(fmt::format("{} is {}: it is taken as an empty text; quote it", place.name(), kind_name(place.value())));
  }
  return any_string(place.value());
}

std::string read_int_or_string(const Place& place) {
  if (place.value().is_string() || place.value().is_int64()) return doc::scalar_text(place.value());
  place.wrong_type("a whole number or a string");
  return {};
}

void check_object(const Place& place, std::span<const Field<Unread>> fields) {
  Unread unread;
  read_object(place, unread, fields);
}

namespace detail {

void unknown_field(const Place& place, const Place& parent, std::string_view name, const FieldTable& known) {
  const std::string where = parent.name();
  place.key_error(fmt::format("unknown field \"{}\"{}{}{}", name, where.empty() ? "" : " in ", where,
                              where_it_belongs(parent, name, known)));
  place.reading().findings.back().unknown_field = true;
}

void outside_of_cluster(const Place& place, std::string_view name) {
  if (says_nothing(place.value())) return;
  if (!place.reading().warned.emplace(name).second) return;
  place.warn(fmt::format("only a cluster honours {}", place.name()));
}

void check_form(const Place& place, const Shape& shape, bool read) {
  if (shape.kubernetes) return check_kubernetes(place, shape);
  if (read) return;
  if (!shape.choices.empty()) return check_choice(place, shape.choices);
  if (shape.around == Shape::Around::kList) {
    if (!expect_array(place)) return;
    const doc::Array& list = place.value().get_array();
    for (std::size_t i = 0; i < list.size(); ++i) check_scalar(place.element(i, list[i]), shape.type);
  } else if (shape.around == Shape::Around::kMap) {
    if (!expect_object(place)) return;
    for (const auto& [key, value] : place.value().get_object()) check_scalar(place.member(key, value), shape.type);
  } else {
    check_scalar(place, shape.type);
  }
}

void not_supported(const Place& place) {
  place.key_error(fmt::format("{} is not supported yet", place.name()));
}

}  // namespace detail
}  // namespace tiphys::api
