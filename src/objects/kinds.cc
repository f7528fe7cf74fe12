#include "objects/kinds.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "objects/argo_schemas.h"
#include "schema/kubernetes.h"

namespace tiphys::objects {
namespace {

// In the order of Kubernetes' discovery.
constexpr std::array<std::string_view, 8> kAllVerbs{"create", "delete", "deletecollection", "get",
                                                    "list",   "patch",  "update",           "watch"};
constexpr std::array<std::string_view, 3> kPartVerbs{"get", "patch", "update"};
constexpr std::array<std::string_view, 1> kRead{"get"};

std::vector<Subresource> subresources_of(const cluster::Resource& resource) {
  std::vector<Subresource> found;
  if (&resource == &cluster::kPods) found.push_back({"log", "Pod", "", "", kRead});
  if (resource.has_scale) found.push_back({"scale", "Scale", "autoscaling", "v1", kPartVerbs});
  if (resource.has_status) found.push_back({"status", resource.kind, "", "", kPartVerbs});
  return found;
}

}  // namespace

std::string Kind::api_version() const {
  if (resource->group.empty()) return version;
  return std::string(resource->group) + "/" + version;
}

bool Kind::may(std::string_view verb) const {
  return std::ranges::find(verbs, verb) != verbs.end();
}

const Subresource* Kind::subresource(std::string_view name) const {
  const auto found = std::ranges::find(subresources, name, &Subresource::name);
  return found == subresources.end() ? nullptr : &*found;
}

Kinds::Kinds() : argo_schemas_(make_argo_schemas()) {
  // What refers to Kubernetes' own types finds them by name.
  doc::Object all = schema::kubernetes_schemas();
  for (const auto& [name, one] : argo_schemas_) all[name] = one;
  const Status added = argo_types_.add(all);
  TIPHYS_CHECK(added, "the schemas of Argo's kinds are well-formed");
  for (const cluster::Resource* resource : cluster::resources()) {
    Kind kind{.resource = resource, .version = std::string(resource->version), .type_name = {}, .verbs = kAllVerbs};
    kind.type_name = schema::kubernetes_type_name(resource->api_version(), resource->kind);
    if (kind.type_name.empty()) kind.type_name = argo_schema_name(resource->kind);
    kind.type = argo_types_.find(kind.type_name);
    if (!kind.type) kind.type_name.clear();
    kind.subresources = subresources_of(*resource);
    kinds_.push_back(std::move(kind));
  }
}

const Kind* Kinds::find(std::string_view group, std::string_view version, std::string_view plural) const {
  const auto found = std::ranges::find_if(kinds_, [&](const Kind& kind) {
    return kind.resource->plural == plural && kind.resource->group == group && kind.version == version;
  });
  return found == kinds_.end() ? nullptr : &*found;
}

const Kind* Kinds::find_kind(std::string_view api_version, std::string_view name) const {
  const auto found = std::ranges::find_if(
      kinds_, [&](const Kind& kind) { return kind.resource->kind == name && kind.api_version() == api_version; });
  return found == kinds_.end() ? nullptr : &*found;
}

std::vector<Kinds::Group> Kinds::groups() const {
  std::vector<Group> groups;
  for (const Kind& kind : kinds_) {
    const std::string_view name = kind.resource->group;
    auto group = std::ranges::find(groups, name, &Group::name);
    if (group == groups.end()) group = groups.insert(name.empty() ? groups.begin() : groups.end(), Group{name, {}});
    if (std::ranges::find(group->versions, kind.version) == group->versions.end()) {
      group->versions.push_back(kind.version);
    }
  }
  return groups;
}

}  // namespace tiphys::objects
