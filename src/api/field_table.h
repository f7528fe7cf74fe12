// What is known of the fields of manifests beside how to read them. The tables that read documents (reader.h) say it,
// so that `explain`, the JSON schema, docs/fields.md and messages about misplaced fields cannot tell anything else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::api {

class FieldTable;

enum class Handling : std::uint8_t {
  kRead,     ///< `read` takes it; without one it is of its shape and stays in the document
  kCarry,    ///< stays in the document
  kCluster,  ///< stays in the document; a warning says that only a cluster honours it
  kLater     ///< an error: not supported yet
};

/// The form of a field's value.
struct Shape {
  enum class Type : std::uint8_t {
    kAny,
    kString,
    kText,         ///< a string, a number or a boolean, taken as text
    kIntOrString,  ///< a whole number or a string
    kBoolean,
    kInteger,
    kNumber,
    kObject
  };
  enum class Around : std::uint8_t { kNothing, kList, kListOfLists, kMap };

  Type type = Type::kAny;
  Around around = Around::kNothing;
  const FieldTable* fields = nullptr;              ///< of an object; null: it is not spelled out
  const char* kubernetes = nullptr;                ///< an object of Kubernetes: "Affinity"
  std::span<const std::string_view> choices = {};  ///< all that a string may be; empty: anything
};

inline constexpr Shape kAnyShape;
inline constexpr Shape kString{Shape::Type::kString};
inline constexpr Shape kText{Shape::Type::kText};
inline constexpr Shape kBoolean{Shape::Type::kBoolean};
inline constexpr Shape kInteger{Shape::Type::kInteger};
inline constexpr Shape kNumber{Shape::Type::kNumber};
inline constexpr Shape kIntOrString{Shape::Type::kIntOrString};
inline constexpr Shape kStringMap{Shape::Type::kString, Shape::Around::kMap};
inline constexpr Shape kStrings{Shape::Type::kString, Shape::Around::kList};
inline constexpr Shape kEmptyObject{Shape::Type::kObject};
template <const auto& choices>
inline constexpr Shape kChoice{Shape::Type::kString, Shape::Around::kNothing, nullptr, nullptr, choices};
template <const FieldTable& table, Shape::Around around = Shape::Around::kNothing>
inline constexpr Shape kObject{Shape::Type::kObject, around, &table};

constexpr Shape kubernetes(const char* type, Shape::Around around = Shape::Around::kNothing) {
  return {Shape::Type::kObject, around, nullptr, type};
}

/// One field of a table. Pointers, not views: the search for a name walks over these.
template <typename T, typename Place>
struct BasicField {
  std::string_view name;
  Handling handling = Handling::kCarry;
  void (*read)(const Place&, T&) = nullptr;
  const char* about = "";  ///< a line or two for users
  const Shape* shape = &kAnyShape;
  const char* proof = "";      ///< the test that shows it at work: "Suite.Name" or "test_name"
  const char* deviation = "";  ///< from the original, in a sentence
};

/// The same, whatever the table reads into.
struct FieldInfo {
  std::string_view name;
  Handling handling;
  std::string_view about;
  const Shape* shape;
  std::string_view proof;
  std::string_view deviation;
};

/// A view of a table whose lifetime is the program's.
class FieldTable {
 public:
  /// `name` is that of the object: "RetryStrategy".
  template <typename T, typename Place>
  constexpr FieldTable(const char* name, std::span<const BasicField<T, Place>> fields)
      : name_(name), fields_(fields.data()), size_(fields.size()), at_(&info<T, Place>) {}
  template <typename T, typename Place, std::size_t n>
  constexpr FieldTable(const char* name, const BasicField<T, Place> (&fields)[n])
      : FieldTable(name, std::span<const BasicField<T, Place>>(fields)) {}

  std::string_view name() const { return name_; }
  std::size_t size() const { return size_; }
  FieldInfo operator[](std::size_t i) const { return at_(fields_, i); }
  std::optional<FieldInfo> find(std::string_view name) const;
  std::vector<std::string> names() const;

 private:
  template <typename T, typename Place>
  static FieldInfo info(const void* fields, std::size_t i) {
    const auto& field = static_cast<const BasicField<T, Place>*>(fields)[i];
    return {field.name, field.handling, field.about, field.shape, field.proof, field.deviation};
  }

  const char* name_;
  const void* fields_;
  std::size_t size_;
  FieldInfo (*at_)(const void*, std::size_t);
};

/// "list of Step", "string", "Kubernetes: Affinity".
std::string type_name(const Shape& shape);
/// Which plane honours a field: "embedded", "only a cluster", "not yet".
std::string_view plane_of(Handling handling);
/// Where Kubernetes tells of one of its types.
std::string kubernetes_link(std::string_view type);

/// A field path below a table ("resource"; "tasks", "arguments") where a field of this name is, the nearest one.
std::optional<std::string> find_below(const FieldTable& table, std::string_view name);

}  // namespace tiphys::api
