// What a request's path names.
#pragma once

#include <string>

#include "objects/object_api.h"
#include "server/url.h"

namespace tiphys::server {

/// kNotFound when the path is none of an object or a collection.
Result<objects::Target> find_route(const objects::Kinds& kinds, const Target& target);

}  // namespace tiphys::server
