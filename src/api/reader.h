// Strict reading of documents by tables of fields.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/parse.h"
#include "doc/value.h"

namespace tiphys::api {

/// What one reading collects.
struct Reading {
  std::vector<Finding>& findings;
  doc::Shared root;  ///< owns what documents of parts point into
  std::set<std::string, std::less<>> warned;
};

/// A value and where it stands. Lives on the stack of the readers; the path is spelled out only for a finding.
class Place {
 public:
  Place(Reading& reading, const doc::Value& value) : reading_(reading), value_(value) {}
  Place member(std::string_view key, const doc::Value& value) const { return Place(*this, value, key, kNoIndex); }
  Place element(std::size_t index, const doc::Value& value) const { return Place(*this, value, {}, index); }

  const doc::Value& value() const { return value_; }
  /// The value that holds this one.
  const doc::Value& parent_value() const { return parent_->value_; }
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

enum class Handling {
  kRead,     ///< `read` takes it
  kCarry,    ///< stays in the document
  kCluster,  ///< stays in the document; a warning says that only a cluster honours it
  kLater     ///< an error: not supported yet
};

template <typename T>
struct Field {
  std::string_view name;
  Handling handling = Handling::kCarry;
  void (*read)(const Place&, T&) = nullptr;
};

void read(const Place& place, std::string& out);
void read(const Place& place, bool& out);
void read(const Place& place, std::int64_t& out);
void read(const Place& place, int& out);
void read(const Place& place, std::map<std::string, std::string>& out);
void read(const Place& place, doc::Object& out);

/// A string, number or boolean as text (Argo's AnyString).
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

namespace detail {
template <typename>
struct MemberOf;
template <typename T, typename M>
struct MemberOf<M T::*> {
  using Class = T;
};
void unknown_field(const Place& place, const Place& parent, std::string_view name, std::vector<std::string> known);
void outside_of_cluster(const Place& place, std::string_view name);
void not_supported(const Place& place);
}  // namespace detail

/// A field read into a member of the struct.
template <auto member>
constexpr auto field(std::string_view name) {
  using T = typename detail::MemberOf<decltype(member)>::Class;
  return Field<T>{name, Handling::kRead, [](const Place& place, T& out) { read(place, out.*member); }};
}
template <auto member>
constexpr auto any_string_field(std::string_view name) {
  using T = typename detail::MemberOf<decltype(member)>::Class;
  return Field<T>{name, Handling::kRead, [](const Place& place, T& out) { out.*member = read_any_string(place); }};
}
template <auto member>
constexpr auto int_or_string_field(std::string_view name) {
  using T = typename detail::MemberOf<decltype(member)>::Class;
  return Field<T>{name, Handling::kRead, [](const Place& place, T& out) { out.*member = read_int_or_string(place); }};
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
      std::vector<std::string> known;
      for (const Field<T>& field : fields) known.emplace_back(field.name);
      detail::unknown_field(member, place, name, std::move(known));
      continue;
    }
    if (value.is_null()) continue;
    switch (found->handling) {
      case Handling::kRead:
        found->read(member, out);
        break;
      case Handling::kCarry:
        break;
      case Handling::kCluster:
        detail::outside_of_cluster(member, name);
        break;
      case Handling::kLater:
        detail::not_supported(member);
        break;
    }
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
