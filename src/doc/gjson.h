// Reading JSON text by a path, as github.com/tidwall/gjson 1.18 does: what Argo evaluates in conditions of resources
// and in filters, parameters and conditions of events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::doc {

enum class GjsonType { kNull, kFalse, kNumber, kString, kTrue, kJson };

/// What a path found. Nothing is parsed beyond what the path needs: `raw` is a piece of the text as it was written.
struct GjsonResult {
  GjsonType type = GjsonType::kNull;
  std::string raw;        ///< "" when nothing was found
  std::string str;        ///< of a string: without quotes and escapes
  double num = 0;         ///< of a number
  std::size_t index = 0;  ///< of `raw` in the text; 0 when it was not taken from there
  std::optional<std::vector<std::size_t>> indexes = std::nullopt;  ///< of the elements that a path with # found

  bool exists() const { return type != GjsonType::kNull || !raw.empty(); }
  bool is_object() const { return type == GjsonType::kJson && raw.starts_with('{'); }
  bool is_array() const { return type == GjsonType::kJson && raw.starts_with('['); }

  /// Strings without quotes, integers and JSON as written, other numbers without an exponent; "" for null and nothing.
  std::string text() const;
  /// Also of strings ("true", "T", "1") and numbers (not zero).
  bool to_bool() const;
  /// Also of strings and true (1); 0 for what has none. Out of range as Go converts on amd64.
  std::int64_t to_int() const;
  std::uint64_t to_uint() const;
  double to_float() const;
  /// The elements of an array; nothing for null; else the value itself.
  std::vector<GjsonResult> elements() const;
};

/// Evaluates a path: keys with * and ?, indices, `#`, queries `#(a.b=="c")#`, pipes, multipaths `{a,b}` and `[a,b]`,
/// literals `!"x"`, `..` for JSON lines, modifiers `@reverse`. The text is not validated: of malformed JSON it finds
/// what gjson finds. Nothing is found where a limit is passed: texts of 16 MiB, paths of 16 KiB, 500 levels, and
/// work (of multipaths, say) in all.
GjsonResult gjson_get(std::string_view json, std::string_view path);

/// The value that a text starts with; of an object or an array all that follows.
GjsonResult gjson_parse(std::string_view json);

}  // namespace tiphys::doc
