// What an API says of the form of its objects: OpenAPI v3, a document per group and version, and v2, one for all.
// Enough for what kubectl asks: validation, explain, diff, apply, and whether the server validates fields itself.
#pragma once

#include <string>
#include <string_view>

#include "doc/value.h"
#include "objects/kinds.h"

namespace tiphys::objects {

/// "api/v1", "apis/batch/v1": what the documents of v3 are called.
std::string openapi_path(std::string_view group, std::string_view version);
/// GET /openapi/v3: where the documents are.
doc::Value openapi_v3_index(const Kinds& kinds);
/// GET /openapi/v3/{path}; null when there is none.
doc::Value openapi_v3(const Kinds& kinds, std::string_view path);
/// GET /openapi/v2
doc::Value openapi_v2(const Kinds& kinds);

}  // namespace tiphys::objects
