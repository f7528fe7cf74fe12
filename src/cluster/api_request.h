// How requests to the API name what they are about.
#pragma once

#include <string>

#include "cluster/resource.h"
#include "cluster/selector.h"

namespace tiphys::cluster {

/// Where the API has a resource's objects, or with a name one of them:
/// "/apis/argoproj.io/v1alpha1/namespaces/ns/workflows/a". An empty namespace is all of them.
std::string api_path(const Resource& resource, std::string_view ns, std::string_view name);
inline std::string api_path(const Key& key) {
  return api_path(*key.resource, key.ns, key.name);
}

/// A selector in the form that parses to the same.
std::string selector_text(const Selector& selector);

}  // namespace tiphys::cluster
