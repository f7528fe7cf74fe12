// Lists of resources, as containers ask for and quotas limit them (v1.ResourceList).
#pragma once

#include <map>
#include <string>

#include "base/quantity.h"
#include "doc/value.h"

namespace tiphys::objects {

using ResourceList = std::map<std::string, Quantity, std::less<>>;

/// What is no quantity is left out; null is an empty list.
ResourceList read_resources(const doc::Value* list);
doc::Object written(const ResourceList& list);
void add(ResourceList& to, const ResourceList& list);
/// "cpu=1,memory=2Gi"
std::string text_of(const ResourceList& list);

/// What a pod needs of each at once, its sidecars and the largest of its init containers included; `member` is
/// "requests" or "limits". A pod's own resources, given for it as a whole, take precedence.
ResourceList pod_resources(const doc::Value& pod, std::string_view member);

}  // namespace tiphys::objects
