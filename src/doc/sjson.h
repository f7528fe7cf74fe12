// Writing into JSON text by a path, as github.com/tidwall/sjson 1.2 does: what Argo Events calls to put parameters into
// a trigger's resource or payload. The rest of the text stays as it was written.
#pragma once

#include "doc/value.h"

namespace tiphys::doc {

/// The text with `value` at the path: keys and indices with dots between, `\` before a dot in a key, `:` before a
/// number that is a key. Missing parents are made: arrays for numbers and for -1, which appends; an index beyond the
/// end pads with null. A path with |, #, @, * or ? (gjson.h) replaces what it finds, and changes nothing when it finds
/// nothing. The text is not validated; an empty one, or one that is a scalar, becomes an object or an array.
///
/// Errors: an empty path, a key that is no number in an array, and what is too large: texts of 16 MiB, paths of 16 KiB
/// and 500 parts, results of 64 MiB.
Result<std::string> sjson_set(std::string_view json, std::string_view path, const Value& value);
/// The same with a text that is put in as it is.
Result<std::string> sjson_set_raw(std::string_view json, std::string_view path, std::string_view raw);
/// Without the value at the path, which may have no |, #, @, * or ?. -1 is the last element. Nothing changes when
/// there is no such value.
Result<std::string> sjson_delete(std::string_view json, std::string_view path);

}  // namespace tiphys::doc
