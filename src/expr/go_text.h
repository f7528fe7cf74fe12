// Values as text and texts as numbers, the way Go's fmt and strconv read and write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "doc/value.h"

namespace tiphys::expr {

/// fmt.Sprintf("%v"): strings as they are, "<nil>", "[1 a]", "map[a:1 b:2]" with sorted keys.
std::string go_text(const doc::Value& value);
/// strconv.FormatFloat(number, 'g', -1, 64), as %v writes floats: "1e+06", "0.1".
std::string go_float_text(double number);
/// strconv.FormatFloat(number, 'f', -1, 64): the shortest digits that read back as the number, without an exponent.
std::string go_fixed_text(double number);
/// strconv.Quote.
std::string go_quote(std::string_view text);
/// The name of the Go type that the value has in expressions: "int", "float64", "[]interface {}".
std::string_view go_type(const doc::Value& value);

/// strconv.ParseInt(text, base, 64). Base 0 reads prefixes (0x, 0b, 0o, 0) and underscores between digits.
std::optional<std::int64_t> parse_go_int(std::string_view text, int base = 10);
/// strconv.ParseFloat(text, 64).
std::optional<double> parse_go_float(std::string_view text);
/// Go's conversion of a float to an int: towards zero; what does not fit becomes the least int, as on amd64.
std::int64_t truncate_to_int(double number);

}  // namespace tiphys::expr
