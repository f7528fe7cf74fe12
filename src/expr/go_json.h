// JSON as Go's encoding/json writes maps: keys sorted, `<`, `>` and `&` escaped.
#pragma once

#include <string>

#include "doc/go_json_string.h"
#include "doc/value.h"

namespace tiphys::expr {

/// An error, json.Marshal's, when the value holds what JSON has not: NaN or an infinity. Below, these become null.
Status check_go_json(const doc::Value& value);
/// json.Marshal.
void append_go_json(const doc::Value& value, std::string& out);
/// json.MarshalIndent(value, "", indent).
std::string go_json_indented(const doc::Value& value, std::string_view indent);
/// The same without escapes of `<`, `>` and `&`.
std::string go_json_raw(const doc::Value& value);
using doc::append_go_json_string;
/// strconv.FormatFloat(number, 'f', -1, 64) for exponents from -6 to 20, else with an exponent, as encoding/json does.
std::string go_json_float(double number);

/// json.Unmarshal into an interface{}: every number is a float.
Result<doc::Value> parse_go_json(std::string_view text);

}  // namespace tiphys::expr
