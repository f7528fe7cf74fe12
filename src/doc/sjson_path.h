// The paths of sjson: keys and indices with dots between.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::doc {

/// One key or index of a path.
struct SjsonPart {
  std::string name;         ///< without escapes
  std::string search;       ///< as gjson reads it
  bool is_key = false;      ///< a colon before it says that it is no index
  bool is_complex = false;  ///< more than a key or an index
  std::string_view rest;
  bool more = false;

  bool appends() const { return !is_key && name == "-1"; }
  /// Nothing when it is no number. What does not fit into 64 bits wraps around.
  std::optional<std::int64_t> index() const;
};

/// At most `limit` + 1 parts. Nothing when the path is more than keys and indices.
std::optional<std::vector<SjsonPart>> read_sjson_parts(std::string_view path, std::size_t limit);

}  // namespace tiphys::doc
