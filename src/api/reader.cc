#include "api/reader.h"

#include <fmt/format.h>

#include <algorithm>

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

}  // namespace

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

void read(const Place& place, std::map<std::string, std::string>& out) {
  if (!expect_object(place)) return;
  for (const auto& [key, value] : place.value().get_object()) {
    read(place.member(key, value), out[std::string(key)]);
  }
}

void read(const Place& place, doc::Object& out) {
  if (expect_object(place)) out = place.value().get_object();
}

std::string read_any_string(const Place& place) {
  if (scalar(place.value())) return doc::scalar_text(place.value());
  place.wrong_type("a string, a number or a boolean");
  return {};
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

void unknown_field(const Place& place, const Place& parent, std::string_view name, std::vector<std::string> known) {
  const std::string where = parent.name();
  place.key_error(
      fmt::format("unknown field \"{}\"{}{}{}", name, where.empty() ? "" : " in ", where, did_you_mean(name, known)));
}

void outside_of_cluster(const Place& place, std::string_view name) {
  if (!place.reading().warned.emplace(name).second) return;
  place.warn(fmt::format("only a cluster honours {}", place.name()));
}

void not_supported(const Place& place) {
  place.key_error(fmt::format("{} is not supported yet", place.name()));
}

}  // namespace detail
}  // namespace tiphys::api
