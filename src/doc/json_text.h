// JSON as it is written: what a parsed value forgets, such as the digits of 1.50 or 1e-05.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::doc {

/// All of these take JSON that parses, and look at nothing but its punctuation.

/// Without white space outside of texts; the rest as it is.
std::string compact_json(std::string_view json);

/// Whether a number in it, at any depth, is written with a fraction or an exponent.
bool has_written_fractions(std::string_view json);

/// The elements of a list, or the keys and values of an object in turn, as they are written, without white space
/// around. Nothing for other JSON.
std::vector<std::string_view> json_parts(std::string_view json);

/// Where the value ends that begins at `begin`; the text's end where it does not.
std::size_t end_of_value(std::string_view json, std::size_t begin);

}  // namespace tiphys::doc
