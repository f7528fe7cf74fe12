// How sprig reads values as numbers and as nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "doc/value.h"

namespace tiphys::expr {

/// Whatever the value is: texts with prefixes 0x, 0 and 0b, "5.9" as 5; 0 for what is no integer.
std::int64_t sprig_int(const doc::Value& value);
/// 0 for what is no number.
double sprig_float(const doc::Value& value);
/// null, false, 0 and an empty duration, and what has no elements.
bool sprig_empty(const doc::Value& value);
/// Bytes as they are, all else as %v writes it.
std::string sprig_string(const doc::Value& value);
/// The kind of the value's Go type: "map", "int", "struct"; "invalid" for nil.
std::string_view go_kind_word(const doc::Value& value);

}  // namespace tiphys::expr
