// Kubernetes' own objects within Argo's: they stay documents, and are of the types that the API server knows.
#pragma once

#include <string_view>

#include "api/reader.h"

namespace tiphys::api {

/// What stands here has the form of a shape with `kubernetes`: types of values, known fields, required ones, and what
/// some may say. A string with a tag may stand for any scalar.
void check_kubernetes(const Place& place, const Shape& shape);

enum class Completeness : bool {
  kWhole,
  kPart  ///< a merge patch: nothing is required, and what begins with '$' is for the patch
};
/// The same by the type's whole name: "io.k8s.api.policy.v1.PodDisruptionBudgetSpec".
void check_kubernetes_type(const Place& place, std::string_view type, Completeness completeness = Completeness::kWhole);

}  // namespace tiphys::api
