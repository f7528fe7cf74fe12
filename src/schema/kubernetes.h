// The types of Kubernetes' built-in kinds (1.34), from data/kubernetes.json, which tools/kubernetes-schema writes.
#pragma once

#include <string_view>

#include "doc/value.h"
#include "schema/types.h"

namespace tiphys::schema {

/// The schemas as OpenAPI v3 documents by name ("io.k8s.api.core.v1.Pod"), parsed at the first call.
const doc::Object& kubernetes_schemas();
/// The same, compiled at the first call.
const Types& kubernetes_types();

/// "io.k8s.api.core.v1.Pod" of "v1", "Pod". "" for a group of which nothing is known.
std::string kubernetes_type_name(std::string_view api_version, std::string_view kind);
/// nullptr when there is no such kind.
const Type* kubernetes_type(std::string_view api_version, std::string_view kind);

}  // namespace tiphys::schema
