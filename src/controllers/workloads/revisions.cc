#include "controllers/workloads/revisions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"

namespace tiphys::controllers::workloads {
namespace {

/// Annotations of a Deployment that are its own affair.
constexpr std::array<std::string_view, 6> kNotCopied{"kubectl.kubernetes.io/last-applied-configuration",
                                                     kRevision,
                                                     kRevisionHistory,
                                                     kDesiredReplicas,
                                                     kMaxReplicas,
                                                     "deprecated.deployment.rollback.to"};

doc::Value without_hash(const doc::Value& pod_template) {
  doc::Value made = pod_template;
  if (!made.is_object()) return made;
  doc::Object& metadata = doc::ensure_object(made.get_object(), "metadata");
  metadata.erase("creationTimestamp");
  doc::Object& labels = doc::ensure_object(metadata, "labels");
  labels.erase(kTemplateHash);
  if (labels.empty()) metadata.erase("labels");
  return made;
}

bool put(doc::Object& map, std::string_view key, std::string_view value) {
  doc::Value& member = map[key];
  if (member.is_string() && std::string_view(member.get_string()) == value) return false;
  member = value;
  return true;
}

}  // namespace

std::string template_hash(const doc::Value& pod_template, std::int64_t collisions) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::uint32_t hash = 2166136261U;
  for (const char c : doc::to_json(pod_template) + (collisions > 0 ? std::to_string(collisions) : "")) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  std::string text = std::to_string(hash);
  for (char& c : text) c = kLetters[static_cast<unsigned char>(c) % kLetters.size()];
  return text;
}

bool same_template(const doc::Value& one, const doc::Value& other) {
  return without_hash(one) == without_hash(other);
}

std::int64_t revision_of(const doc::Value& object) {
  const auto text = doc::find_string(object, "metadata", "annotations", kRevision);
  std::int64_t revision = 0;
  std::from_chars(text.data(), text.data() + text.size(), revision);
  return revision;
}

cluster::Object find_newest(const doc::Value& deployment, const std::vector<cluster::Object>& replica_sets) {
  cluster::Object found;
  for (const auto& one : replica_sets) {
    if (!same_template(value_at(*one, "spec", "template"), value_at(deployment, "spec", "template"))) continue;
    const auto made = [](const doc::Value& object) {
      return doc::find_string(object, "metadata", "creationTimestamp");
    };
    if (!found || made(*one) < made(*found)) found = one;
  }
  return found;
}

doc::Value make_replica_set(const doc::Value& deployment, std::int64_t revision) {
  const doc::Value& pod_template = value_at(deployment, "spec", "template");
  const std::string hash = template_hash(pod_template, number_at(deployment, "status", "collisionCount").value_or(0));
  doc::Value made_template = pod_template;
  doc::Object& metadata = doc::ensure_object(made_template.get_object(), "metadata");
  doc::Object& labels = doc::ensure_object(metadata, "labels");
  labels[kTemplateHash] = hash;
  doc::Value selector = value_at(deployment, "spec", "selector");
  doc::ensure_object(selector.get_object(), "matchLabels")[kTemplateHash] = hash;
  doc::Object spec{{"replicas", 0}, {"selector", std::move(selector)}, {"template", made_template}};
  if (const auto seconds = number_at(deployment, "spec", "minReadySeconds")) spec["minReadySeconds"] = *seconds;
  doc::Value replica_set = doc::Object{
      {"metadata",
       doc::Object{{"name", fmt::format("{}-{}", name_of(deployment), hash)},
                   {"namespace", namespace_of(deployment)},
                   {"labels", labels},
                   {"ownerReferences", doc::Array{controller_reference(cluster::kDeployments, deployment)}}}},
      {"spec", std::move(spec)}};
  annotate(replica_set, deployment, revision);
  return replica_set;
}

bool annotate(doc::Value& replica_set, const doc::Value& deployment, std::int64_t revision) {
  const std::int64_t before = revision_of(replica_set);
  doc::Object& annotations =
      doc::ensure_object(doc::ensure_object(replica_set.get_object(), "metadata"), "annotations");
  bool changed = false;
  if (const doc::Value& own = value_at(deployment, "metadata", "annotations"); own.is_object()) {
    for (const auto& [key, value] : own.get_object()) {
      if (std::ranges::find(kNotCopied, std::string_view(key)) != kNotCopied.end() || !value.is_string()) continue;
      changed = put(annotations, key, value.get_string()) || changed;
    }
  }
  if (before >= revision) return changed;
  annotations[kRevision] = std::to_string(revision);
  if (before > 0) {
    const doc::Value* known = annotations.if_contains(kRevisionHistory);
    const std::string history = known ? doc::scalar_text(*known) : "";
    annotations[kRevisionHistory] = history.empty() ? std::to_string(before) : fmt::format("{},{}", history, before);
  }
  return true;
}

}  // namespace tiphys::controllers::workloads
