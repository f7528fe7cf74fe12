#include "objects/kinds.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/check.h"
#include "objects/argo_schemas.h"
#include "objects/custom_kind.h"
#include "objects/other_form.h"
#include "objects/reviews.h"
#include "objects/table.h"
#include "schema/kubernetes.h"

namespace tiphys::objects {
namespace {

constexpr std::array<std::string_view, 1> kRead{"get"};
constexpr std::array<std::string_view, 1> kCreate{"create"};
constexpr std::array<std::string_view, 1> kUpdate{"update"};
constexpr std::array<std::string_view, 2> kConnect{"create", "get"};
/// Nobody means to delete all of them.
constexpr std::array<std::string_view, 7> kNamespaceVerbs{"create", "delete", "get",  "list",
                                                          "patch",  "update", "watch"};

std::span<const std::string_view> verbs_of(const cluster::Resource& resource) {
  if (&resource == &cluster::kNamespaces) return kNamespaceVerbs;
  return kAllVerbs;
}

std::vector<Subresource> subresources_of(const cluster::Resource& resource) {
  std::vector<Subresource> found;
  if (&resource == &cluster::kPods) {
    found.push_back({"attach", "PodAttachOptions", "", "", kConnect});
    found.push_back({"eviction", "Eviction", "policy", "v1", kCreate});
    found.push_back({"exec", "PodExecOptions", "", "", kConnect});
    found.push_back({"log", "Pod", "", "", kRead});
    found.push_back({"portforward", "PodPortForwardOptions", "", "", kConnect});
  }
  if (&resource == &cluster::kServiceAccounts) {
    found.push_back({"token", "TokenRequest", "authentication.k8s.io", "v1", kCreate});
  }
  if (&resource == &cluster::kNamespaces) found.push_back({"finalize", resource.kind, "", "", kUpdate});
  if (resource.has_scale) found.push_back({"scale", "Scale", "autoscaling", "v1", kPartVerbs});
  if (resource.has_status) found.push_back({"status", resource.kind, "", "", kPartVerbs});
  return found;
}

/// Those of the plane, and those that are other forms of them.
std::vector<const cluster::Resource*> object_resources() {
  const auto stored = cluster::resources();
  std::vector<const cluster::Resource*> all(stored.begin(), stored.end());
  all.push_back(&kNewEvents);
  return all;
}

}  // namespace

std::string Kind::api_version() const {
  if (resource->group.empty()) return version;
  return std::string(resource->group) + "/" + version;
}

bool Kind::may(std::string_view verb) const {
  return std::ranges::find(verbs, verb) != verbs.end();
}

const cluster::Resource& Kind::stored() const {
  return form ? *form->stored : *resource;
}

const Subresource* Kind::subresource(std::string_view name) const {
  const auto found = std::ranges::find(subresources, name, &Subresource::name);
  return found == subresources.end() ? nullptr : &*found;
}

Kinds::Parts::Parts() : own_schemas(make_argo_schemas()), own_types(&schema::kubernetes_types()) {
  std::map<const cluster::Resource*, std::string> names;
  for (const cluster::Resource* resource : object_resources()) {
    std::string& name = names[resource];
    name = schema::kubernetes_type_name(resource->api_version(), resource->kind);
    if (name.empty()) name = argo_schema_name(resource->kind);
    if (schema(name)) continue;
    // Nothing is known of it: anything goes.
    own_schemas[name] = doc::Object{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  }
  const Status added = own_types.add(own_schemas);
  TIPHYS_CHECK(added, "the schemas of Argo's kinds are well-formed");
  for (const cluster::Resource* resource : object_resources()) {
    const std::string& name = names[resource];
    kinds.push_back(std::make_shared<const Kind>(Kind{.resource = resource,
                                                      .version = std::string(resource->version),
                                                      .list_kind = std::string(resource->kind) + "List",
                                                      .type_name = name,
                                                      .type = own_types.find(name),
                                                      .verbs = verbs_of(*resource),
                                                      .subresources = subresources_of(*resource),
                                                      .columns = columns_of(*resource),
                                                      .has_status = resource->has_status,
                                                      .form = other_form(*resource)}));
  }
  for (const cluster::Resource* resource : review_resources()) {
    const std::string name = schema::kubernetes_type_name(resource->api_version(), resource->kind);
    kinds.push_back(std::make_shared<const Kind>(Kind{.resource = resource,
                                                      .version = std::string(resource->version),
                                                      .list_kind = {},
                                                      .type_name = name,
                                                      .type = own_types.find(name),
                                                      .verbs = kCreate}));
  }
}

KindPtr Kinds::find(std::string_view group, std::string_view version, std::string_view plural) const {
  const auto found = std::ranges::find_if(all(), [&](const KindPtr& kind) {
    return kind->resource->plural == plural && kind->resource->group == group && kind->version == version;
  });
  return found == all().end() ? nullptr : *found;
}

KindPtr Kinds::find_kind(std::string_view api_version, std::string_view name) const {
  const auto found = std::ranges::find_if(
      all(), [&](const KindPtr& kind) { return kind->resource->kind == name && kind->api_version() == api_version; });
  return found == all().end() ? nullptr : *found;
}

void Kinds::set_custom(std::string_view group, std::string_view plural, const std::vector<KindPtr>& versions) {
  const auto is_it = [&](const KindPtr& kind) {
    return kind->resource->group == group && kind->resource->plural == plural;
  };
  std::vector<KindPtr>& kinds = parts().kinds;
  if (std::ranges::any_of(kinds, [&](const KindPtr& kind) { return is_it(kind) && !kind->custom; })) return;
  std::erase_if(kinds, is_it);
  kinds.insert(kinds.end(), versions.begin(), versions.end());
}

const doc::Value* Kinds::Parts::schema(std::string_view name) const {
  if (const doc::Value* found = own_schemas.if_contains(name)) return found;
  if (const doc::Value* found = schema::kubernetes_schemas().if_contains(name)) return found;
  const auto found =
      std::ranges::find_if(kinds, [&](const KindPtr& kind) { return kind->custom && kind->type_name == name; });
  return found == kinds.end() ? nullptr : &(*found)->custom->schema;
}

const doc::Value* Kinds::schema(std::string_view name) const {
  return parts().schema(name);
}

std::vector<Kinds::Group> Kinds::groups() const {
  std::vector<Group> groups;
  for (const KindPtr& kind : all()) {
    const std::string_view name = kind->resource->group;
    auto group = std::ranges::find(groups, name, &Group::name);
    if (group == groups.end()) group = groups.insert(name.empty() ? groups.begin() : groups.end(), Group{name, {}});
    if (std::ranges::find(group->versions, kind->version) == group->versions.end()) {
      group->versions.push_back(kind->version);
    }
  }
  return groups;
}

}  // namespace tiphys::objects
