// Objects in requests, on their way to the plane.
#pragma once

#include "argo/work.h"

namespace tiphys::argo {

/// The object at `field` of the request, with apiVersion, kind and the request's namespace, which it may not
/// contradict. kInvalidArgument: there is none.
Result<doc::Value> take_object(Work& work, std::string_view field, const cluster::Resource& resource);

/// What `createOptions` say: nothing is made.
bool is_dry_run(const Work& work);

}  // namespace tiphys::argo
