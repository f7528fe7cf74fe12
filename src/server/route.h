// What a request's path names.
#pragma once

#include <string>

#include "objects/object_api.h"
#include "server/url.h"

namespace tiphys::server {

/// kNotFound when the path is none of an object or a collection.
Result<objects::Target> find_route(const objects::Kinds& kinds, const Target& target);

/// The path of a collection, or with `name` of one object: "/apis/argoproj.io/v1alpha1/namespaces/default/workflows".
std::string route_path(const cluster::Resource& resource, std::string_view ns, std::string_view name);

}  // namespace tiphys::server
