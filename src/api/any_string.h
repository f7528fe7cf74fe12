// Texts that may be written as other values. Original: pkg/apis/workflow/v1alpha1/anystring.go.
#pragma once

#include <string>

#include "doc/value.h"

namespace tiphys::api {

/// Of a string, number or boolean its text; "" of anything else, as the original reads it.
inline std::string any_string(const doc::Value& value) {
  return value.is_structured() || value.is_null() ? std::string() : doc::scalar_text(value);
}

}  // namespace tiphys::api
