#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "doc/patch.h"

namespace tiphys::doc {
namespace {

/// Lists of objects that merge, by the name of their field; where there are two keys, the first that an element has
/// counts. Source: the patchMergeKey tags of k8s.io/api/core/v1, meta/v1 and Argo's workflow types.
struct MergeKey {
  std::string_view field;
  std::string_view keys[2];
};
constexpr MergeKey kMergeKeys[] = {
    {"containers", {"name"}},
    {"initContainers", {"name"}},
    {"ephemeralContainers", {"name"}},
    {"sidecars", {"name"}},
    {"env", {"name"}},
    {"volumes", {"name"}},
    {"imagePullSecrets", {"name"}},
    {"secrets", {"name"}},
    {"schedulingGates", {"name"}},
    {"resourceClaims", {"name"}},
    {"templates", {"name"}},
    {"tasks", {"name"}},
    {"parameters", {"name"}},
    {"artifacts", {"name"}},
    {"volumeMounts", {"mountPath"}},
    {"volumeDevices", {"devicePath"}},
    {"ports", {"containerPort", "port"}},
    {"hostAliases", {"ip"}},
    {"podIPs", {"ip"}},
    {"hostIPs", {"ip"}},
    {"conditions", {"type"}},
    {"topologySpreadConstraints", {"topologyKey"}},
    {"ownerReferences", {"uid"}},
};
/// Lists of scalars that merge as sets.
constexpr std::string_view kSets[] = {"finalizers"};

constexpr std::string_view kPatch = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList/";
constexpr std::string_view kElementOrder = "$setElementOrder/";

const MergeKey* merge_key(std::string_view field) {
  const auto found = std::ranges::find(kMergeKeys, field, &MergeKey::field);
  return found == std::end(kMergeKeys) ? nullptr : found;
}

/// The element's value under the merge key that it has; nullptr when it has none.
const Value* identity(const Value& element, const MergeKey& key, std::string_view* name = nullptr) {
  for (const std::string_view each : key.keys) {
    const Value* value = each.empty() ? nullptr : find(element, each);
    if (!value) continue;
    if (name) *name = each;
    return value;
  }
  return nullptr;
}

Value* find_element(Array& list, std::string_view key, const Value& value) {
  const auto found = std::ranges::find_if(list, [&](const Value& element) {
    const Value* other = find(element, key);
    return other && *other == value;
  });
  return found == list.end() ? nullptr : found;
}

bool is_directive(std::string_view key) {
  return key == kPatch || key == kRetainKeys || key.starts_with(kDeleteFromList) || key.starts_with(kElementOrder);
}

Status merge_object(Value& target, const Object& patch);

Status merge_list(Array& list, const Array& patch, const MergeKey& key, std::string_view field) {
  const bool replaces =
      std::ranges::any_of(patch, [](const Value& each) { return find_string(each, kPatch) == "replace"; });
  if (replaces) list.clear();
  for (const Value& element : patch) {
    const Object* object = element.if_object();
    if (!object) return fail(Code::kInvalidArgument, fmt::format("{} takes objects", field));
    const std::string_view directive = find_string(element, kPatch);
    if (directive == "replace" && object->size() == 1) continue;
    std::string_view name;
    const Value* id = identity(element, key, &name);
    if (!id) {
      return fail(Code::kInvalidArgument, fmt::format("an element of {} lacks its merge key {}", field, key.keys[0]));
    }
    Value* found = find_element(list, name, *id);
    if (directive == "delete") {
      if (found) list.erase(found);
      continue;
    }
    if (!found) found = &list.emplace_back(Object());
    TIPHYS_CHECK_OK(merge_object(*found, *object));
  }
  return {};
}

void merge_set(Array& list, const Array& patch) {
  for (const Value& element : patch) {
    if (std::ranges::find(list, element) == list.end()) list.push_back(element);
  }
}

/// Brings the elements that `order` names into its order, in the places that they hold together.
void order_list(Array& list, const Array& order, const MergeKey* key) {
  const auto rank = [&](const Value& element) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      const Value* mine = key ? identity(element, *key) : &element;
      const Value* theirs = key ? identity(order[i], *key) : &order[i];
      if (mine && theirs && *mine == *theirs) return i;
    }
    return order.size();
  };
  std::vector<std::pair<std::size_t, Value*>> named;
  for (Value& element : list) {
    if (const std::size_t at = rank(element); at < order.size()) named.emplace_back(at, &element);
  }
  std::vector<Value> sorted;
  auto by_rank = named;
  std::ranges::stable_sort(by_rank, {}, [](const auto& each) { return each.first; });
  for (const auto& [at, element] : by_rank) sorted.push_back(*element);
  for (std::size_t i = 0; i < named.size(); ++i) *named[i].second = std::move(sorted[i]);
}

Status apply_directives(Object& object, const Object& patch) {
  if (const Value* retain = patch.if_contains(kRetainKeys)) {
    const Array* kept = retain->if_array();
    if (!kept) return fail(Code::kInvalidArgument, "$retainKeys must be a list");
    Object rest;
    for (const auto& [key, value] : object) {
      if (std::ranges::find(*kept, Value(key)) != kept->end()) rest.emplace(key, value);
    }
    object = std::move(rest);
  }
  for (const auto& [key, value] : patch) {
    const std::string_view name(key);
    if (!name.starts_with(kDeleteFromList)) continue;
    Value* list = object.if_contains(name.substr(kDeleteFromList.size()));
    if (!list || !list->is_array() || !value.is_array()) continue;
    Array rest;
    for (const Value& element : list->get_array()) {
      if (std::ranges::find(value.get_array(), element) == value.get_array().end()) rest.push_back(element);
    }
    *list = std::move(rest);
  }
  return {};
}

Status merge_member(Object& object, std::string_view key, const Value& change) {
  if (change.is_null()) {
    object.stable_erase(key);
    return {};
  }
  if (const Object* changes = change.if_object()) {
    Value& member = object[key];
    if (!member.is_object()) member = Object();
    return merge_object(member, *changes);
  }
  const Array* elements = change.if_array();
  const MergeKey* merges = merge_key(key);
  const bool objects = elements && std::ranges::all_of(*elements, [](const Value& each) { return each.is_object(); });
  const bool set = std::ranges::find(kSets, key) != std::end(kSets);
  if (!elements || !(set || (merges && objects))) {
    object[key] = change;
    return {};
  }
  Value& member = object[key];
  if (!member.is_array()) member = Array();
  if (merges) return merge_list(member.get_array(), *elements, *merges, key);
  merge_set(member.get_array(), *elements);
  return {};
}

Status merge_object(Value& target, const Object& patch) {
  Object& object = target.is_object() ? target.get_object() : target.emplace_object();
  if (const Value* directive = patch.if_contains(kPatch)) {
    if (*directive == "replace" || *directive == "delete") {
      object.clear();
      if (*directive == "delete") return {};
    } else if (*directive != "merge") {
      return fail(Code::kInvalidArgument, fmt::format("unknown $patch {}", to_json(*directive)));
    }
  }
  TIPHYS_CHECK_OK(apply_directives(object, patch));
  for (const auto& [key, change] : patch) {
    if (!is_directive(key)) TIPHYS_CHECK_OK(merge_member(object, key, change));
  }
  for (const auto& [key, order] : patch) {
    const std::string_view name(key);
    if (!name.starts_with(kElementOrder) || !order.is_array()) continue;
    const std::string_view field = name.substr(kElementOrder.size());
    Value* list = object.if_contains(field);
    if (list && list->is_array()) order_list(list->get_array(), order.get_array(), merge_key(field));
  }
  return {};
}

}  // namespace

Status apply_strategic_merge_patch(Value& target, const Value& patch) {
  const Object* changes = patch.if_object();
  if (!changes) return fail(Code::kInvalidArgument, "a strategic merge patch must be an object");
  Value result = target;
  TIPHYS_CHECK_OK(merge_object(result, *changes));
  target = std::move(result);
  return {};
}

}  // namespace tiphys::doc
