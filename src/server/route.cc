#include "server/route.h"

#include <fmt/format.h>

#include <span>

namespace tiphys::server {
namespace {

std::unexpected<Error> not_found() {
  return fail(Code::kNotFound, "the server could not find the requested resource");
}

/// `rest` follows the group and version.
Result<Route> find_in_group(std::string_view group, std::string_view version, std::span<const std::string> rest) {
  Route route;
  // "namespaces" leads a namespaced path, unless the namespace itself is meant.
  if (rest.size() >= 3 && rest[0] == "namespaces") {
    route.ns = rest[1];
    rest = rest.subspan(2);
  }
  if (rest.empty() || rest.size() > 3) return not_found();
  route.resource = cluster::find_resource_by_plural(group, rest[0]);
  if (!route.resource || route.resource->version != version) return not_found();
  if (rest.size() > 1) route.name = rest[1];
  if (rest.size() > 2) route.subresource = rest[2];

  if (!route.resource->namespaced && !route.ns.empty()) return not_found();
  if (route.resource->namespaced && !route.name.empty() && route.ns.empty()) return not_found();
  const bool is_log = route.subresource == "log" && route.resource == &cluster::kPods;
  if (!route.subresource.empty() && !is_log) return not_found();
  return route;
}

}  // namespace

Result<Route> find_route(const Target& target) {
  const std::span<const std::string> path = target.path;
  if (path.size() > 2 && path[0] == "api") return find_in_group("", path[1], path.subspan(2));
  if (path.size() > 3 && path[0] == "apis") return find_in_group(path[1], path[2], path.subspan(3));
  return not_found();
}

std::string route_path(const cluster::Resource& resource, std::string_view ns, std::string_view name) {
  std::string path = resource.group.empty() ? fmt::format("/api/{}", resource.version)
                                            : fmt::format("/apis/{}/{}", resource.group, resource.version);
  if (!ns.empty()) path += "/namespaces/" + percent_encode(ns);
  path += fmt::format("/{}", resource.plural);
  if (!name.empty()) path += "/" + percent_encode(name);
  return path;
}

}  // namespace tiphys::server
