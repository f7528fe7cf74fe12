// Which object or collection a path names.
#pragma once

#include "cluster/resource.h"
#include "server/url.h"

namespace tiphys::server {

struct Route {
  const cluster::Resource* resource = nullptr;
  std::string ns;           ///< "" is all namespaces or cluster scope
  std::string name;         ///< "" is the collection
  std::string subresource;  ///< "log" or ""

  cluster::Key key() const { return {resource, ns, name}; }
};

/// kNotFound for a path that names nothing here.
Result<Route> find_route(const Target& target);
/// The path of an object or collection: find_route's inverse.
std::string route_path(const cluster::Resource& resource, std::string_view ns, std::string_view name);

}  // namespace tiphys::server
