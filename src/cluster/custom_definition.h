// What a CustomResourceDefinition says of the resource that it brings.
#pragma once

#include <optional>

#include "cluster/resource.h"
#include "doc/value.h"

namespace tiphys::cluster {

/// Names, scope and the version that is stored; nullopt when the definition lacks one of them.
std::optional<ResourceNames> names_of(const doc::Value& definition);

}  // namespace tiphys::cluster
