#include "controllers/workloads/set_revisions.h"

#include <algorithm>

#include "cluster/rare_resources.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"
#include "controllers/workloads/revisions.h"

namespace tiphys::controllers::workloads {
namespace {

/// The label of a revision that has the hash of its template.
std::string_view hash_label(const cluster::Resource& kind) {
  return &kind == &cluster::kDaemonSets ? "controller-revision-hash" : "controller.kubernetes.io/hash";
}

std::int64_t number_of(const doc::Value& revision) {
  return number_at(revision, "revision").value_or(0);
}

doc::Value template_of(const doc::Value& revision) {
  doc::Value made = value_at(revision, "data", "spec", "template");
  if (made.is_object()) made.get_object().erase("$patch");
  return made;
}

doc::Value make_revision(const cluster::Resource& kind, const doc::Value& set, std::int64_t number) {
  const doc::Value& pod_template = value_at(set, "spec", "template");
  const std::string hash = template_hash(pod_template, number_at(set, "status", "collisionCount").value_or(0));
  doc::Object labels;
  if (const doc::Value& given = value_at(pod_template, "metadata", "labels"); given.is_object()) {
    labels = given.get_object();
  }
  labels[hash_label(kind)] = hash;
  doc::Object metadata{{"name", name_of(set) + "-" + hash},
                       {"namespace", namespace_of(set)},
                       {"labels", std::move(labels)},
                       {"ownerReferences", doc::Array{controller_reference(kind, set)}}};
  if (const doc::Value& given = value_at(set, "metadata", "annotations"); given.is_object()) {
    metadata["annotations"] = given;
  }
  doc::Value patch = pod_template;
  patch.get_object()["$patch"] = "replace";
  const doc::Object spec{{"template", std::move(patch)}};
  return doc::Object{{"metadata", std::move(metadata)}, {"data", doc::Object{{"spec", spec}}}, {"revision", number}};
}

}  // namespace

std::string_view hash_of(const cluster::Resource& kind, const doc::Value& revision) {
  return doc::find_string(revision, "metadata", "labels", hash_label(kind));
}

SetRevisions revisions_of(const cluster::Resource& kind, const doc::Value& set,
                          const std::vector<cluster::Object>& revisions) {
  std::vector<cluster::Object> sorted = revisions;
  std::ranges::sort(sorted, {}, [](const auto& one) { return std::pair(number_of(*one), name_of(*one)); });
  const doc::Value& pod_template = value_at(set, "spec", "template");
  SetRevisions found;
  found.update_template = pod_template;
  const std::int64_t next = sorted.empty() ? 1 : number_of(*sorted.back()) + 1;
  const auto equal = std::ranges::find_if(sorted.rbegin(), sorted.rend(),
                                          [&](const auto& one) { return template_of(*one) == pod_template; });
  if (equal == sorted.rend()) {
    found.create = make_revision(kind, set, next);
    found.update = name_of(*found.create);
    found.update_hash = hash_of(kind, *found.create);
  } else {
    found.update = name_of(**equal);
    found.update_hash = hash_of(kind, **equal);
    // One from before is the newest again.
    if (equal != sorted.rbegin()) {
      found.change = **equal;
      found.change->get_object()["revision"] = next;
    }
  }
  const auto wanted = doc::find_string(set, "status", "currentRevision");
  const auto current = std::ranges::find_if(sorted, [&](const auto& one) { return name_of(*one) == wanted; });
  found.current = current == sorted.end() ? found.update : name_of(**current);
  found.current_template = current == sorted.end() ? pod_template : template_of(**current);
  return found;
}

std::vector<cluster::Object> surplus_revisions(const doc::Value& set, const std::vector<cluster::Object>& revisions,
                                               const std::vector<std::string>& in_use) {
  std::vector<cluster::Object> old;
  for (const auto& one : revisions) {
    if (std::ranges::find(in_use, name_of(*one)) == in_use.end()) old.push_back(one);
  }
  const auto most = number_at(set, "spec", "revisionHistoryLimit").value_or(10);
  std::ranges::sort(old, {}, [](const auto& one) { return number_of(*one); });
  old.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, std::ssize(old) - most)));
  return old;
}

}  // namespace tiphys::controllers::workloads
