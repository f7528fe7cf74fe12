#include "controllers/workloads/set_claims.h"

#include <fmt/format.h>

#include <algorithm>

#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"

namespace tiphys::controllers::workloads {
namespace {

std::string claim_name(const doc::Value& set, const doc::Value& claim, std::int64_t ordinal) {
  return fmt::format("{}-{}-{}", name_of(claim), name_of(set), ordinal);
}

bool deletes(const doc::Value& set, std::string_view when) {
  return doc::find_string(set, "spec", "persistentVolumeClaimRetentionPolicy", when) == "Delete";
}

/// Of this kind and name, whatever its uid: a namesake that is gone owns nothing.
bool refers_to(const doc::Value& reference, const cluster::Resource& resource, std::string_view name) {
  return doc::find_string(reference, "kind") == resource.kind && doc::find_string(reference, "name") == name;
}

}  // namespace

std::vector<doc::Value> claims_of(const doc::Value& set, std::int64_t ordinal) {
  std::vector<doc::Value> made;
  for (const doc::Value& one : list_at(set, "spec", "volumeClaimTemplates")) {
    doc::Object metadata;
    for (const char* member : {"labels", "annotations", "finalizers"}) {
      if (const doc::Value& given = value_at(one, "metadata", member); !given.is_null()) metadata[member] = given;
    }
    if (const doc::Value& given = value_at(set, "spec", "selector", "matchLabels"); given.is_object()) {
      doc::Object& labels = doc::ensure_object(metadata, "labels");
      for (const auto& [key, value] : given.get_object()) labels[key] = value;
    }
    metadata["name"] = claim_name(set, one, ordinal);
    metadata["namespace"] = namespace_of(set);
    doc::Value claim = doc::Object{{"metadata", std::move(metadata)}, {"spec", value_at(one, "spec")}};
    if (auto owned = with_owners(set, claim, nullptr, false)) claim = std::move(*owned);
    made.push_back(std::move(claim));
  }
  return made;
}

void mount_claims(const doc::Value& set, std::int64_t ordinal, doc::Object& pod) {
  const doc::Array& templates = list_at(set, "spec", "volumeClaimTemplates");
  if (templates.empty()) return;
  doc::Object& spec = doc::ensure_object(pod, "spec");
  doc::Array volumes;
  for (const doc::Value& one : templates) {
    const doc::Object source{{"claimName", claim_name(set, one, ordinal)}};
    volumes.push_back(doc::Object{{"name", name_of(one)}, {"persistentVolumeClaim", source}});
  }
  if (const doc::Value* given = spec.if_contains("volumes"); given && given->is_array()) {
    for (const doc::Value& volume : given->get_array()) {
      const auto name = doc::find_string(volume, "name");
      const bool replaced = std::ranges::any_of(templates, [&](const doc::Value& one) { return name_of(one) == name; });
      if (!replaced) volumes.push_back(volume);
    }
  }
  spec["volumes"] = std::move(volumes);
}

std::optional<doc::Value> with_owners(const doc::Value& set, const doc::Value& claim, const doc::Value* pod,
                                      bool surplus) {
  doc::Array owners;
  bool others = false;
  for (const doc::Value& reference : list_at(claim, "metadata", "ownerReferences")) {
    if (refers_to(reference, cluster::kStatefulSets, name_of(set))) continue;
    if (pod && refers_to(reference, cluster::kPods, name_of(*pod))) continue;
    others = others || is_true_at(reference, "controller");
    owners.push_back(reference);
  }
  // What somebody else controls is theirs.
  if (!others) {
    if (surplus && pod && deletes(set, "whenScaled")) {
      owners.push_back(controller_reference(cluster::kPods, *pod));
    } else if (deletes(set, "whenDeleted") && !(surplus && deletes(set, "whenScaled"))) {
      owners.push_back(controller_reference(cluster::kStatefulSets, set));
    }
  }
  if (owners == list_at(claim, "metadata", "ownerReferences")) return std::nullopt;
  doc::Value made = claim;
  doc::Object& metadata = doc::ensure_object(made.get_object(), "metadata");
  if (owners.empty()) {
    metadata.erase("ownerReferences");
  } else {
    metadata["ownerReferences"] = std::move(owners);
  }
  return made;
}

}  // namespace tiphys::controllers::workloads
