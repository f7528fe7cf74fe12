// What is wrong with one field of an object, as Kubernetes tells it (k8s.io/apimachinery/pkg/util/validation/field).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"

namespace tiphys::schema {

struct FieldError {
  enum class Kind {
    kRequired,
    kInvalid,
    kTypeInvalid,
    kNotSupported,
    kDuplicate,
    kForbidden,
    kTooLong,
    kTooMany,
    kNotFound
  };

  Kind kind = Kind::kInvalid;
  std::string field;    ///< "spec.containers[0].name"
  std::string message;  ///< without the field: `Required value`, `Invalid value: "x": must be ...`

  /// Of a StatusCause: "FieldValueRequired".
  std::string_view reason() const;
  std::string text() const { return field + ": " + message; }
};
using FieldErrors = std::vector<FieldError>;

FieldError required(std::string field, std::string_view why = "");
FieldError invalid(std::string field, const doc::Value& value, std::string_view why);
FieldError not_supported(std::string field, const doc::Value& value, const std::vector<std::string>& supported);
FieldError duplicate(std::string field, const doc::Value& value);
FieldError forbidden(std::string field, std::string_view why);

/// "[a, b]" of several, as Kubernetes joins them, each once; the text of a single one.
std::string text_of(const FieldErrors& errors);

}  // namespace tiphys::schema
