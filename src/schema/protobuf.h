// The protobuf form of documents: messages, as gRPC has them, and Kubernetes' form of objects, which typed clients of
// Go send: "k8s\0" and a runtime.Unknown around a message (k8s.io/apimachinery/pkg/runtime/serializer/protobuf).
#pragma once

#include "base/error.h"
#include "doc/value.h"
#include "schema/type.h"

namespace tiphys::schema {

inline constexpr std::string_view kProtobufMediaType = "application/vnd.kubernetes.protobuf";

/// The object as JSON would have it, apiVersion and kind from the envelope. kInvalidArgument: no envelope, a kind that
/// is not built in, a message that is cut short. Unknown fields are left out.
Result<doc::Value> decode_protobuf(std::string_view body);

/// One message of a type as JSON would have it, with the apiVersion and kind of what is a kind. kInvalidArgument: it is
/// cut short, too deep, or has text that is no UTF-8. Unknown fields are left out, as are zero values where they say
/// nothing.
Result<doc::Value> decode_message(const Type& type, std::string_view message);

/// The other way round: fields in the order of their numbers, without what is null and what the type has no number for.
/// As lenient as Argo's readers: a number or a boolean is taken where text is due, text where a number is.
/// kInvalidArgument tells the field and what it has.
Result<std::string> encode_message(const Type& type, const doc::Value& document);

}  // namespace tiphys::schema
