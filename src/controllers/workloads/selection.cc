#include "controllers/workloads/selection.h"

#include <algorithm>

#include "cluster/pod_phase.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"

namespace tiphys::controllers::workloads {
namespace {

bool matches(const doc::Value& requirement, const doc::Value& labels) {
  const auto key = doc::find_string(requirement, "key");
  const doc::Value* value = doc::find(labels, key);
  const auto operation = doc::find_string(requirement, "operator");
  if (operation == "Exists") return value != nullptr;
  if (operation == "DoesNotExist") return value == nullptr;
  const bool listed = value && std::ranges::any_of(list_at(requirement, "values"),
                                                   [&](const doc::Value& one) { return one == *value; });
  return operation == "In" ? listed : operation == "NotIn" && !listed;
}

doc::Value without_owner(const doc::Value& object, std::string_view uid) {
  doc::Value made = object;
  doc::Object& metadata = doc::ensure_object(made.get_object(), "metadata");
  doc::Array left;
  for (const doc::Value& owner : list_at(object, "metadata", "ownerReferences")) {
    if (doc::find_string(owner, "uid") != uid) left.push_back(owner);
  }
  if (left.empty()) {
    metadata.erase("ownerReferences");
  } else {
    metadata["ownerReferences"] = std::move(left);
  }
  return made;
}

}  // namespace

bool selects(const doc::Value& selector, const doc::Value& labels) {
  if (!selector.is_object()) return false;
  if (const doc::Value& wanted = value_at(selector, "matchLabels"); wanted.is_object()) {
    for (const auto& [key, value] : wanted.get_object()) {
      const doc::Value* found = doc::find(labels, key);
      if (!found || *found != value) return false;
    }
  }
  return std::ranges::all_of(list_at(selector, "matchExpressions"),
                             [&](const doc::Value& one) { return matches(one, labels); });
}

Belongings belongings_of(const Mirror& mirror, const cluster::Resource& owner_kind, const doc::Value& owner,
                         const doc::Value& selector) {
  Belongings found;
  const std::string uid = uid_of(owner);
  for (const auto& object : mirror.controlled_by(uid)) {
    if (selects(selector, value_at(*object, "metadata", "labels"))) {
      found.mine.push_back(object);
    } else if (!is_deleting(owner)) {
      found.let_go.push_back(without_owner(*object, uid));
    }
  }
  if (is_deleting(owner)) return found;
  for (const auto& object : mirror.controlled_by("")) {
    if (namespace_of(*object) != namespace_of(owner) || is_deleting(*object)) continue;
    if (!selects(selector, value_at(*object, "metadata", "labels"))) continue;
    doc::Value made = *object;
    doc::Object& metadata = doc::ensure_object(made.get_object(), "metadata");
    doc::Value& owners = metadata["ownerReferences"];
    if (!owners.is_array()) owners = doc::Array();
    owners.get_array().push_back(controller_reference(owner_kind, owner));
    found.adopted.push_back(std::move(made));
  }
  return found;
}

bool settle(PlaneView& view, const cluster::Resource& resource, Belongings& belongings,
            std::move_only_function<void(Status)> done) {
  if (belongings.adopted.empty() && belongings.let_go.empty()) return false;
  Answers answers(std::move(done));
  for (doc::Value& object : belongings.adopted) view.update(resource, std::move(object), answers.one_unless_gone());
  for (doc::Value& object : belongings.let_go) view.update(resource, std::move(object), answers.one_unless_gone());
  answers.close();
  return true;
}

}  // namespace tiphys::controllers::workloads
