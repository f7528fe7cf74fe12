#include "objects/discovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace tiphys::objects {
namespace {

std::string group_version(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : fmt::format("{}/{}", group, version);
}

doc::Object version_of(std::string_view group, std::string_view version) {
  return {{"groupVersion", group_version(group, version)}, {"version", version}};
}

doc::Array words(std::string_view text) {
  doc::Array list;
  for (const std::string_view word : split(text, ',')) {
    if (!word.empty()) list.emplace_back(word);
  }
  return list;
}

doc::Array verbs_of(std::span<const std::string_view> verbs) {
  return doc::Array(verbs.begin(), verbs.end());
}

doc::Object group_object(const Kinds::Group& group) {
  doc::Array versions;
  for (const std::string_view version : group.versions) versions.push_back(version_of(group.name, version));
  return {{"name", group.name},
          {"versions", std::move(versions)},
          {"preferredVersion", version_of(group.name, group.versions.front())}};
}

doc::Object resource_object(const Kind& kind) {
  const cluster::Resource& resource = *kind.resource;
  doc::Object object{{"name", resource.plural},
                     {"singularName", resource.singular},
                     {"namespaced", resource.namespaced},
                     {"kind", resource.kind},
                     {"verbs", verbs_of(kind.verbs)}};
  if (!resource.short_names.empty()) object["shortNames"] = words(resource.short_names);
  if (!resource.categories.empty()) object["categories"] = words(resource.categories);
  return object;
}

doc::Object subresource_object(const Kind& kind, const Subresource& part) {
  doc::Object object{{"name", fmt::format("{}/{}", kind.resource->plural, part.name)},
                     {"singularName", ""},
                     {"namespaced", kind.resource->namespaced},
                     {"kind", part.kind},
                     {"verbs", verbs_of(part.verbs)}};
  if (!part.version.empty()) {
    object["group"] = part.group;
    object["version"] = part.version;
  }
  return object;
}

doc::Object response_kind(std::string_view group, std::string_view version, std::string_view kind) {
  return {{"group", group}, {"version", version}, {"kind", kind}};
}

doc::Object aggregated_resource(const Kind& kind) {
  const cluster::Resource& resource = *kind.resource;
  doc::Object object{{"resource", resource.plural},
                     {"responseKind", response_kind(resource.group, kind.version, resource.kind)},
                     {"scope", resource.namespaced ? "Namespaced" : "Cluster"},
                     {"singularResource", resource.singular},
                     {"verbs", verbs_of(kind.verbs)}};
  if (!resource.short_names.empty()) object["shortNames"] = words(resource.short_names);
  if (!resource.categories.empty()) object["categories"] = words(resource.categories);
  doc::Array parts;
  for (const Subresource& part : kind.subresources) {
    const bool own = part.version.empty();
    parts.push_back(
        doc::Object{{"subresource", part.name},
                    {"responseKind", response_kind(own ? resource.group : part.group,
                                                   own ? std::string_view(kind.version) : part.version, part.kind)},
                    {"verbs", verbs_of(part.verbs)}});
  }
  if (!parts.empty()) object["subresources"] = std::move(parts);
  return object;
}

/// The kinds of one version in order of their names.
std::vector<const Kind*> kinds_of(const Kinds& kinds, std::string_view group, std::string_view version) {
  std::vector<const Kind*> found;
  for (const KindPtr& kind : kinds.all()) {
    if (kind->resource->group == group && kind->version == version) found.push_back(kind.get());
  }
  std::ranges::sort(found, {}, [](const Kind* kind) { return kind->resource->plural; });
  return found;
}

}  // namespace

doc::Value api_versions(std::string_view address) {
  return doc::Object{
      {"kind", "APIVersions"},
      {"versions", doc::Array{"v1"}},
      {"serverAddressByClientCIDRs", doc::Array{doc::Object{{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", address}}}}};
}

doc::Value api_groups(const Kinds& kinds) {
  doc::Array groups;
  for (const Kinds::Group& group : kinds.groups()) {
    if (!group.name.empty()) groups.push_back(group_object(group));
  }
  return doc::Object{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

doc::Value api_group(const Kinds& kinds, std::string_view name) {
  for (const Kinds::Group& group : kinds.groups()) {
    if (name.empty() || group.name != name) continue;
    doc::Object object{{"kind", "APIGroup"}, {"apiVersion", "v1"}};
    for (auto& [key, value] : group_object(group)) object[key] = std::move(value);
    return object;
  }
  return nullptr;
}

doc::Value api_resources(const Kinds& kinds, std::string_view group, std::string_view version) {
  doc::Array resources;
  for (const Kind* kind : kinds_of(kinds, group, version)) {
    resources.push_back(resource_object(*kind));
    for (const Subresource& part : kind->subresources) resources.push_back(subresource_object(*kind, part));
  }
  if (resources.empty()) return nullptr;
  return doc::Object{{"kind", "APIResourceList"},
                     {"apiVersion", "v1"},
                     {"groupVersion", group_version(group, version)},
                     {"resources", std::move(resources)}};
}

doc::Value aggregated_groups(const Kinds& kinds, bool core) {
  doc::Array items;
  for (const Kinds::Group& group : kinds.groups()) {
    if (group.name.empty() != core) continue;
    doc::Array versions;
    for (const std::string_view version : group.versions) {
      doc::Array resources;
      for (const Kind* kind : kinds_of(kinds, group.name, version)) resources.push_back(aggregated_resource(*kind));
      versions.push_back(
          doc::Object{{"version", version}, {"resources", std::move(resources)}, {"freshness", "Current"}});
    }
    doc::Object metadata;
    if (!core) metadata["name"] = group.name;
    items.push_back(doc::Object{{"metadata", std::move(metadata)}, {"versions", std::move(versions)}});
  }
  return doc::Object{{"kind", "APIGroupDiscoveryList"},
                     {"apiVersion", "apidiscovery.k8s.io/v2"},
                     {"metadata", doc::Object()},
                     {"items", std::move(items)}};
}

}  // namespace tiphys::objects
