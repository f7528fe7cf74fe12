// Kubernetes' protobuf form of objects, which typed clients of Go send: "k8s\0" and a runtime.Unknown around a message
// (k8s.io/apimachinery/pkg/runtime/serializer/protobuf).
#pragma once

#include "base/error.h"
#include "doc/value.h"
#include "schema/type.h"

namespace tiphys::schema {

inline constexpr std::string_view kProtobufMediaType = "application/vnd.kubernetes.protobuf";

/// The object as JSON would have it, apiVersion and kind from the envelope. kInvalidArgument: no envelope, a kind that
/// is not built in, a message that is cut short. Unknown fields are left out.
Result<doc::Value> decode_protobuf(std::string_view body);

/// One message of a type.
Result<doc::Value> decode_message(const Type& type, std::string_view message);

}  // namespace tiphys::schema
