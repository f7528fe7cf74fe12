// Values as sjson writes them.
#pragma once

#include "doc/value.h"

namespace tiphys::doc {

/// With quotes. As it is, or escaped for HTML when there is something to escape.
void append_sjson_string(std::string_view text, std::string& out);
/// Numbers without an exponent; objects and arrays as json.Marshal writes them: with sorted keys, escaped for HTML.
std::string to_sjson(const Value& value);

}  // namespace tiphys::doc
