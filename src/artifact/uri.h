// Texts as URLs and forms write them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiphys::artifact {

/// Names and values as they are, not yet %XX.
using Query = std::vector<std::pair<std::string, std::string>>;

/// All but letters, digits and "-._~" as %XX, "/" too unless it is kept.
std::string uri_encode(std::string_view text, bool keep_slash);
/// '+' is a space, %XX a byte.
std::string uri_decode(std::string_view text);
/// "a=b&c=d" in the order that AWS signs.
std::string canonical_query(const Query& query);
/// "a=b&c=d" in the order that is given: of a query, and of a form.
std::string form_encode(const Query& fields);

}  // namespace tiphys::artifact
