// Strings as Go's encoding/json writes them.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::doc {

/// The string with its quotes, as json.Marshal writes it; `html` tells whether `<`, `>` and `&` are escaped. Malformed
/// UTF-8 becomes \ufffd.
void append_go_json_string(std::string_view text, bool html, std::string& out);

}  // namespace tiphys::doc
