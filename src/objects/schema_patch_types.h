// What the schemas of Kubernetes' built-in kinds say of strategic merge patches.
#pragma once

#include "doc/strategic_types.h"

namespace tiphys::objects {

/// Types by their names in OpenAPI: "io.k8s.api.apps.v1.Deployment".
const doc::PatchTypes& schema_patch_types();

}  // namespace tiphys::objects
