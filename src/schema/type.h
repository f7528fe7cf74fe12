// The types of API objects as data, whether they come with Tiphys, from Argo's field tables or from a
// CustomResourceDefinition: what an OpenAPI v3 schema says, compiled once and walked many times.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"

namespace tiphys::schema {

struct Rules;
struct Type;

struct Field {
  std::string name;
  const Type* type = nullptr;
  /// A missing value becomes this one. Only of a CustomResourceDefinition: what Kubernetes publishes for its own kinds
  /// are the zero values of Go.
  std::optional<doc::Value> otherwise{};
  bool pointer = false;  ///< in Go: a zero value is not the same as none
  /// The field's number in the protobuf form, led by those of the messages around it whose members JSON has in line.
  /// Empty: it has none.
  std::vector<std::uint32_t> number{};
};

struct Type {
  enum class Form : std::uint8_t {
    kAny,
    kString,
    kInteger,
    kNumber,
    kBoolean,
    kIntOrString,
    kObject,  ///< has `fields`
    kMap,     ///< any keys, values are `element`
    kList
  };

  /// What the protobuf form's message has where it is not the members that JSON has.
  enum class Wire : std::uint8_t {
    kMembers,
    kTime,         ///< seconds in field 1
    kMicroTime,    ///< seconds in field 1, nanoseconds in 2
    kText,         ///< the text of a string or a number in field 1
    kNumberText,   ///< the same for what JSON has as a number
    kIntOrString,  ///< which it is in field 1, an integer in 2, a string in 3
    kJson,         ///< the JSON text in field 1
    kNestedJson,   ///< the same in a message in field 1
    kElements,     ///< a list's elements in field 1
    kSchemaOrList,
    kSchemaOrBool,
    kSchemaOrStrings  ///< of CustomResourceDefinitions: a schema in field 1 or the other in 2, or the other way round
  };

  Form form = Form::kAny;
  Wire wire = Wire::kMembers;
  bool nullable = false;
  bool keeps_unknown = false;      ///< x-kubernetes-preserve-unknown-fields
  bool embedded_resource = false;  ///< has apiVersion, kind and metadata, whatever the fields say
  bool atomic = false;             ///< server-side apply owns it as a whole: list-type or map-type atomic
  bool set = false;                ///< a list whose elements are unlike each other: list-type set
  std::string name{};              ///< of a type that has one: "io.k8s.api.core.v1.PodSpec"
  std::string api_version{};       ///< of a kind whose protobuf form does not tell what it is, as gRPC has them
  std::string kind{};              ///< the same
  std::string format{};            ///< "date-time", "byte", "int32", "quantity", "enum": choices by number, ...
  std::vector<Field> fields{};     ///< by name
  std::vector<std::string> required{};
  const Type* element = nullptr;                  ///< of a list or a map
  std::optional<doc::Value> element_otherwise{};  ///< what a null element becomes
  std::vector<std::string> keys{};                ///< by which a list's elements are told apart: list-type map
  /// Of a strategic merge patch: elements are merged, told apart by `merge_key` ("" for scalars).
  bool merges = false;
  std::string merge_key{};
  bool retains_keys = false;
  std::shared_ptr<const Rules> rules{};  ///< what a schema demands of values beyond their form; null: nothing

  const Field* find(std::string_view field) const;
  const Field* find_number(std::span<const std::uint32_t> number) const;
  /// Whether a message at this number has its members in line.
  bool has_in_line(std::span<const std::uint32_t> number) const;
};

}  // namespace tiphys::schema
