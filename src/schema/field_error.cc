#include "schema/field_error.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace tiphys::schema {
namespace {

/// Objects and lists are shown as JSON, strings quoted.
std::string shown(const doc::Value& value) {
  return doc::to_json(value);
}

}  // namespace

std::string_view FieldError::reason() const {
  switch (kind) {
    case Kind::kRequired:
      return "FieldValueRequired";
    case Kind::kInvalid:
      return "FieldValueInvalid";
    case Kind::kTypeInvalid:
      return "FieldValueTypeInvalid";
    case Kind::kNotSupported:
      return "FieldValueNotSupported";
    case Kind::kDuplicate:
      return "FieldValueDuplicate";
    case Kind::kForbidden:
      return "FieldValueForbidden";
    case Kind::kTooLong:
      return "FieldValueTooLong";
    case Kind::kTooMany:
      return "FieldValueTooMany";
    case Kind::kNotFound:
      return "FieldValueNotFound";
  }
  return "FieldValueInvalid";
}

FieldError required(std::string field, std::string_view why) {
  return {FieldError::Kind::kRequired, std::move(field),
          why.empty() ? std::string("Required value") : fmt::format("Required value: {}", why)};
}

FieldError invalid(std::string field, const doc::Value& value, std::string_view why) {
  return {FieldError::Kind::kInvalid, std::move(field), fmt::format("Invalid value: {}: {}", shown(value), why)};
}

FieldError not_supported(std::string field, const doc::Value& value, const std::vector<std::string>& supported) {
  std::vector<std::string> quoted;
  for (const std::string& one : supported) quoted.push_back(doc::to_json(doc::Value(one)));
  return {FieldError::Kind::kNotSupported, std::move(field),
          fmt::format("Unsupported value: {}: supported values: {}", shown(value), join(quoted, ", "))};
}

FieldError duplicate(std::string field, const doc::Value& value) {
  return {FieldError::Kind::kDuplicate, std::move(field), fmt::format("Duplicate value: {}", shown(value))};
}

FieldError forbidden(std::string field, std::string_view why) {
  return {FieldError::Kind::kForbidden, std::move(field), fmt::format("Forbidden: {}", why)};
}

std::string text_of(const FieldErrors& errors) {
  std::vector<std::string> texts;
  for (const FieldError& error : errors) {
    std::string text = error.text();
    if (std::ranges::find(texts, text) == texts.end()) texts.push_back(std::move(text));
  }
  if (texts.size() == 1) return texts.front();
  return "[" + join(texts, ", ") + "]";
}

}  // namespace tiphys::schema
