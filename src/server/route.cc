#include "server/route.h"

#include <fmt/format.h>

#include <span>

namespace tiphys::server {
namespace {

std::unexpected<Error> not_found() {
  return fail(Code::kNotFound, "the server could not find the requested resource");
}

/// `rest` follows the group and version.
Result<objects::Target> find_in_group(const objects::Kinds& kinds, std::string_view group, std::string_view version,
                                      std::span<const std::string> rest) {
  objects::Target found;
  // "namespaces" leads a namespaced path, unless the namespace itself is meant.
  const bool of_namespace = rest.size() == 3 && (rest[2] == "status" || rest[2] == "finalize");
  if (rest.size() >= 3 && rest[0] == "namespaces" && !of_namespace) {
    found.ns = rest[1];
    rest = rest.subspan(2);
  }
  if (rest.empty() || rest.size() > 3) return not_found();
  found.kind = kinds.find(group, version, rest[0]);
  if (!found.kind) return not_found();
  if (rest.size() > 1) found.name = rest[1];
  if (rest.size() > 2) found.subresource = rest[2];

  const bool namespaced = found.kind->resource->namespaced;
  if (!namespaced && !found.ns.empty()) return not_found();
  if (namespaced && !found.name.empty() && found.ns.empty()) return not_found();
  if (!found.subresource.empty() && !found.kind->subresource(found.subresource)) return not_found();
  return found;
}

}  // namespace

Result<objects::Target> find_route(const objects::Kinds& kinds, const Target& target) {
  const std::span<const std::string> path = target.path;
  if (path.size() > 2 && path[0] == "api") return find_in_group(kinds, "", path[1], path.subspan(2));
  if (path.size() > 3 && path[0] == "apis") return find_in_group(kinds, path[1], path[2], path.subspan(3));
  return not_found();
}

}  // namespace tiphys::server
