// Strict reading of documents by tables of fields.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/field_table.h"
#include "api/parse.h"
#include "doc/value.h"

namespace tiphys::api {

/// What one reading collects.
struct Reading {
  std::vector<Finding>& findings;
  doc::Shared root;  ///< owns what documents of parts point into
  std::set<std::string, std::less<>> warned;
  const Shape* shape = nullptr;  ///< of the root, where it is known: for hints
};

/// A value and where it stands. Lives on the stack of the readers; the path is spelled out only for a finding.
class Place {
 public:
  Place(Reading& reading, const doc::Value& value) : reading_(reading), value_(value) {}
  Place member(std::string_view key, const doc::Value& value) const { return Place(*this, value, key, kNoIndex); }
  Place element(std::size_t index, const doc::Value& value) const { return Place(*this, value, {}, index); }

  const doc::Value& value() const { return value_; }
  /// What holds this; nullptr for the root.
  const Place* parent() const { return parent_; }
  /// The value that holds this one.
  const doc::Value& parent_value() const { return parent_->value_; }
  /// The form of what stands here, as far as the tables tell.
  std::optional<Shape> shape() const;
  Reading& reading() const { return reading_; }
  /// The value as a document of its own, sharing the whole one's memory.
  doc::Shared shared() const { return doc::Shared(reading_.root, &value_); }

  /// "spec.templates[0].name"
  std::string name() const;
  std::string pointer() const;

  void error(std::string message) const { report(Finding::Severity::kError, false, std::move(message)); }
  void key_error(std::string message) const { report(Finding::Severity::kError, true, std::move(message)); }
  void warn(std::string message) const { report(Finding::Severity::kWarning, true, std::move(message)); }
  /// "NAME must be `what`, not a number" with a hint where one helps.
  void wrong_type(std::string_view what) const;

 private:
  static constexpr std::size_t kNoIndex = static_cast<std::size_t>(-1);
  Place(const Place& parent, const doc::Value& value, std::string_view key, std::size_t index)
      : reading_(parent.reading_), value_(value), parent_(&parent), key_(key), index_(index) {}
  void report(Finding::Severity severity, bool at_key, std::string message) const;

  Reading& reading_;
  const doc::Value& value_;
  const Place* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = kNoIndex;
};

template <typename T>
using Field = BasicField<T, Place>;

void read(const Place& place, std::string& out);
void read(const Place& place, bool& out);
void read(const Place& place, std::int64_t& out);
void read(const Place& place, int& out);
void read(const Place& place, double& out);
void read(const Place& place, std::map<std::string, std::string>& out);
void read(const Place& place, doc::Object& out);

/// A string, number or boolean as text.
std::string read_scalar(const Place& place);
/// The same; anything else is "" with a warning (Argo's AnyString).
std::string read_any_string(const Place& place);
/// An integer or a string as text (Kubernetes' IntOrString).
std::string read_int_or_string(const Place& place);
/// False with an error when the value is no object, or no array.
bool expect_object(const Place& place);
bool expect_array(const Place& place);

template <typename T>
void read(const Place& place, std::optional<T>& out) {
  read(place, out.emplace());
}

template <typename T>
void read(const Place& place, std::vector<T>& out) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  out.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) read(place.element(i, array[i]), out.emplace_back());
}

/// The table of a struct that others have as members; specialized in fields.h.
template <typename T>
inline constexpr const FieldTable* kTableOf = nullptr;

namespace detail {
template <typename>
struct MemberOf;
template <typename T, typename M>
struct MemberOf<M T::*> {
  using Class = T;
  using Type = M;
};

template <typename M>
struct ShapeOf {
  static constexpr Shape kShape{Shape::Type::kObject, Shape::Around::kNothing, kTableOf<M>};
};
template <Shape::Type type, Shape::Around around = Shape::Around::kNothing>
struct Plain {
  static constexpr Shape kShape{type, around};
};
template <>
struct ShapeOf<std::string> : Plain<Shape::Type::kString> {};
template <>
struct ShapeOf<bool> : Plain<Shape::Type::kBoolean> {};
template <>
struct ShapeOf<int> : Plain<Shape::Type::kInteger> {};
template <>
struct ShapeOf<std::int64_t> : Plain<Shape::Type::kInteger> {};
template <>
struct ShapeOf<double> : Plain<Shape::Type::kNumber> {};
template <>
struct ShapeOf<std::map<std::string, std::string>> : Plain<Shape::Type::kString, Shape::Around::kMap> {};
template <typename M>
struct ShapeOf<std::optional<M>> : ShapeOf<M> {};
template <typename M>
struct ShapeOf<std::shared_ptr<const M>> : ShapeOf<M> {};
template <typename M>
struct ShapeOf<std::vector<M>> {
  static constexpr Shape kShape{ShapeOf<M>::kShape.type, Shape::Around::kList, ShapeOf<M>::kShape.fields};
};

void unknown_field(const Place& place, const Place& parent, std::string_view name, const FieldTable& known);
void outside_of_cluster(const Place& place, std::string_view name);
void not_supported(const Place& place);
/// Of what is not read: that it is of its shape. Of Kubernetes' objects that whole.
void check_form(const Place& place, const Shape& shape, bool read);
}  // namespace detail

/// A field read into a member of the struct.
template <auto member>
constexpr auto field(std::string_view name, const char* about = "", const char* proof = "",
                     const Shape* shape = &detail::ShapeOf<typename detail::MemberOf<decltype(member)>::Type>::kShape) {
  using T = typename detail::MemberOf<decltype(member)>::Class;
  return Field<T>{
      name, Handling::kRead, [](const Place& place, T& out) { read(place, out.*member); }, about, shape, proof, ""};
}
template <auto member>
constexpr auto any_string_field(std::string_view name, const char* about = "", const char* proof = "") {
  using T = typename detail::MemberOf<decltype(member)>::Class;
  return Field<T>{name,  Handling::kRead, [](const Place& place, T& out) { out.*member = read_any_string(place); },
                  about, &kText,          proof,
                  ""};
}
template <auto member>
constexpr auto int_or_string_field(std::string_view name, const char* about = "", const char* proof = "") {
  using T = typename detail::MemberOf<decltype(member)>::Class;
  return Field<T>{name,  Handling::kRead, [](const Place& place, T& out) { out.*member = read_int_or_string(place); },
                  about, &kIntOrString,   proof,
                  ""};
}

/// A field whose meaning differs from the original's.
template <typename T>
constexpr Field<T> deviating(Field<T> field, const char* deviation) {
  field.deviation = deviation;
  return field;
}

/// Reads an object's members by the table. A null member counts as absent, as in Go.
template <typename T>
void read_object(const Place& place, T& out, std::span<const Field<T>> fields) {
  if (!expect_object(place)) return;
  for (const auto& [key, value] : place.value().get_object()) {
    const std::string_view name(key);
    const Place member = place.member(name, value);
    const Field<T>* found = nullptr;
    for (const Field<T>& field : fields) {
      if (field.name == name) {
        found = &field;
        break;
      }
    }
    if (!found) {
      detail::unknown_field(member, place, name, FieldTable("", fields));
      continue;
    }
    if (value.is_null()) continue;
    const std::size_t findings = place.reading().findings.size();
    if (found->handling == Handling::kLater) {
      detail::not_supported(member);
      continue;
    }
    if (found->read) found->read(member, out);
    // What has found something already has looked at the form.
    if (findings == place.reading().findings.size()) detail::check_form(member, *found->shape, found->read != nullptr);
    if (found->handling == Handling::kCluster) detail::outside_of_cluster(member, name);
  }
}

/// A field that is checked and stays in the document.
template <typename T, typename Owner>
void check_as(const Place& place, Owner&) {
  T value{};
  read(place, value);
}

/// Checks an object of which nothing is read.
struct Unread {};
void check_object(const Place& place, std::span<const Field<Unread>> fields);

}  // namespace tiphys::api
