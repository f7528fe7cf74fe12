// What a plain YAML scalar stands for, as go-yaml v2 (YAML 1.1) resolves it.
#pragma once

#include "doc/value.h"

namespace tiphys::doc {

enum class ScalarKind { kString, kNull, kBool, kInt, kFloat, kMerge };

struct Scalar {
  ScalarKind kind = ScalarKind::kString;
  Value value;  ///< of a string nothing: its text is the value
};

/// Resolves a plain (unquoted, untagged) scalar.
Scalar resolve_scalar(std::string_view text);

/// True when `text` looks like a date or a sexagesimal number: a string here, something else to other YAML readers.
bool reads_differently_elsewhere(std::string_view text);

}  // namespace tiphys::doc
