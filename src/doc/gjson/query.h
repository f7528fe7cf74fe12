// Conditions of queries, and the globs in them and in keys.
#pragma once

#include <string_view>

#include "doc/gjson/path.h"
#include "doc/gjson/scan.h"

namespace tiphys::doc::gjson {

/// Whether what the query's path found in an element passes. Values of other types than the query's value do not.
bool matches_query(Workspace& work, const Query& query, const Found& found);

/// github.com/tidwall/match: `*` any text, `?` any character, `\` takes the next one as it is. Gives up, without a
/// match, after 10,000 branches per byte of the text.
bool matches_glob(Workspace& work, std::string_view text, std::string_view pattern);

}  // namespace tiphys::doc::gjson
