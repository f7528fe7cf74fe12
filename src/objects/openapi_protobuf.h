// OpenAPI v2 in protobuf: what kubectl before 1.27 asks for, and nothing else (github.com/google/gnostic-models,
// openapiv2/OpenAPIv2.proto).
#pragma once

#include <string>

#include "doc/value.h"

namespace tiphys::objects {

/// As it is asked for, by old clients with an @, which is no character of a media type: answers have a dot.
inline constexpr std::string_view kOldOpenapiProtobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
inline constexpr std::string_view kOpenapiProtobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// A message Document of a document as openapi_v2 gives it.
std::string openapi_protobuf(const doc::Value& document);

}  // namespace tiphys::objects
