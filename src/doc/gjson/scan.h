// Finding where values end in JSON text that nobody has validated, with gjson's view of malformed texts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doc/gjson.h"
#include "doc/gjson/workspace.h"

namespace tiphys::doc::gjson {

/// A GjsonResult whose texts are pieces of the document, or kept by the Workspace.
struct Found {
  GjsonType type = GjsonType::kNull;
  std::string_view raw = {};
  std::string_view str = {};
  double num = 0;
  std::size_t index = 0;
  std::optional<std::vector<std::size_t>> indexes = std::nullopt;

  bool exists() const { return type != GjsonType::kNull || !raw.empty(); }
  bool is_object() const { return type == GjsonType::kJson && raw.starts_with('{'); }
  bool is_array() const { return type == GjsonType::kJson && raw.starts_with('['); }
};

inline unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}
/// Control characters count as white space.
inline bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}
/// The first character at or after `at` that is none; the size of the text when there is none.
std::size_t skip_blanks(std::string_view text, std::size_t at);
std::string_view trim_blanks(std::string_view text);

/// A piece of text, and where the reader goes on: its end, or one more where a string in it is not closed.
struct Piece {
  std::string_view text;
  std::size_t end = 0;
};

struct StringPiece {
  std::string_view text;  ///< with its quotes
  std::size_t end = 0;
  bool escaped = false;
  bool closed = false;
};

/// The string whose opening quote stands before `at`.
StringPiece scan_string(std::string_view json, std::size_t at);
/// The bracketed value at `at`, whatever kind of bracket it is. Brackets are counted, not matched.
Piece scan_brackets(std::string_view json, std::size_t at);
Piece scan_number(std::string_view json, std::size_t at);
Piece scan_literal(std::string_view json, std::size_t at);  ///< lower case letters
/// The bracketed value or the string that the text starts with; all of it when that is not closed.
std::string_view squash(std::string_view text);

/// Whether the `n` at `at` starts nan, not null.
bool is_nan(std::string_view json, std::size_t at);

/// Reads escapes, up to the first one that is malformed.
std::string unescape(std::string_view text);
/// strconv.ParseFloat, where an error is ignored: 0, or infinite when it is too large.
double parse_float(std::string_view text);
/// As a decimal number that wraps around.
std::optional<std::uint64_t> parse_digits(std::string_view text);

Found string_value(Workspace& work, const StringPiece& piece);
Found number_value(std::string_view raw);
Found literal_value(std::string_view raw);  ///< true, false or null, by the first letter

/// The value that the text starts with, as gjson_parse.
Found parse(Workspace& work, std::string_view json);
/// Whether a value may start with this character.
bool starts_value(char c);

struct Next {
  Found value;
  std::size_t end = 0;
  bool ok = false;
};
/// The value that starts at `at`; without its content when it is not wanted.
Next read_value(Workspace& work, std::string_view json, std::size_t at, bool wanted = true);
/// The next value at or after `at`, past anything that starts none.
Next scan_value(Workspace& work, std::string_view json, std::size_t at);

/// Calls `visit(key, value)` for the members of an object (the key as a string), for the elements of an array (the key
/// is a number), or for the value itself.
void for_each(Workspace& work, const Found& found, const std::function<void(const Found&, const Found&)>& visit);

/// The elements of an array; nothing for null; else the value itself.
std::vector<Found> elements(Workspace& work, const Found& found);

/// Whether the text is one well-formed JSON value; its strings may be malformed UTF-8.
bool is_valid(Workspace& work, std::string_view json);

/// strconv.FormatFloat(number, 'f', -1, 64).
std::string fixed_text(double number);

std::string text_of(const Found& found);
bool bool_of(const Found& found);
/// strconv.ParseBool in any case.
std::optional<bool> parse_bool(std::string_view text);
std::int64_t int_of(const Found& found);
std::uint64_t uint_of(const Found& found);
double float_of(const Found& found);

}  // namespace tiphys::doc::gjson
