#include <fmt/format.h>

#include "doc/nulls.h"
#include "doc/patch.h"
#include "doc/strategic_directives.h"
#include "doc/strategic_list.h"
#include "doc/strategic_types.h"

namespace tiphys::doc {
namespace {

using namespace strategic;

std::unexpected<Error> wrong(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

/// The type of what is patched, and where it stands.
struct Typed {
  const PatchTypes& types;
  std::string_view name;

  Typed part(const PatchField& field) const { return {types, field.type}; }
};

Status merge_object(Object& target, Object patch, const Typed& type);

Result<PatchField> known_field(const Typed& type, std::string_view name, bool list) {
  const auto field = type.types.find(type.name, name);
  if (field && field->list == list) return *field;
  const std::string_view owner = type.name.empty() ? "this object" : type.name;
  return wrong(fmt::format("{} has no field \"{}\" that is {}", owner, name, list ? "a list" : "an object"));
}

void set_member(Object& target, std::string_view name, Value value) {
  if (drop_directives(value)) {
    target[name] = std::move(value);
  } else {
    target.stable_erase(name);
  }
}

Status merge_elements(Array& list, const Array& patch, const PatchField& field, const Typed& type) {
  TIPHYS_TRY(Places known, places(list, field.key));
  for (const Value& element : patch) {
    TIPHYS_TRY(std::string id, identity(element, field.key));
    const auto [found, fresh] = known.try_emplace(std::move(id), list.size());
    if (fresh) {
      list.push_back(element);
    } else {
      TIPHYS_CHECK_OK(merge_object(list[found->second].get_object(), element.get_object(), type.part(field)));
    }
  }
  return {};
}

Status merge_list(Array& list, Array patch, const PatchField& field, const Typed& type, bool deletes) {
  if (list.empty() && patch.empty()) return {};
  TIPHYS_TRY(const auto kind, element_kind(list, patch));
  const bool objects = kind == boost::json::kind::object;
  if (deletes && !objects) return subtract(list, patch);
  Places before;
  if (objects) {
    if (field.key.empty()) return wrong("a list of objects merges only by a key");
    TIPHYS_CHECK_OK(apply_special_elements(list, patch, field.key));
    TIPHYS_TRY(before, places(list, field.key));
    TIPHYS_CHECK_OK(merge_elements(list, patch, field, type));
  } else {
    TIPHYS_TRY(before, places(list, ""));
    TIPHYS_CHECK_OK(unite(list, patch));
  }
  TIPHYS_TRY(const Places wanted, places(patch, field.key));
  return order(list, wanted, before, field.key);
}

Status merge_or_replace(Array& list, Array patch, const PatchField& field, const Typed& type, bool deletes) {
  if (field.merges || deletes) return merge_list(list, std::move(patch), field, type, deletes);
  list = std::move(patch);
  return {};
}

Result<Array*> list_of(Object& object, std::string_view name) {
  Value* value = object.if_contains(name);
  if (value && !value->is_array()) return wrong(fmt::format("{} must be a list, since an order is given for it", name));
  return value ? &value->get_array() : nullptr;
}

/// Merges one list and brings it into the order that the patch gives for it.
Status set_order(Object& target, Object& patch, std::string_view name, const Array& order, const Typed& type) {
  TIPHYS_TRY(Array * list, list_of(target, name));
  TIPHYS_TRY(Array * changes, list_of(patch, name));
  TIPHYS_TRY(const PatchField field, known_field(type, name, true));
  const Array none;
  TIPHYS_CHECK_OK(check_order(changes ? *changes : none, order, field.key));
  if (!list && !changes) return {};
  TIPHYS_TRY([[maybe_unused]] const auto kind, element_kind(list ? *list : none, changes ? *changes : none));
  TIPHYS_TRY(const Places wanted, places(order, field.key));
  TIPHYS_TRY(const Places before,
             places_before(list ? *list : none, list && changes && field.merges ? *changes : none, field.key));
  Array merged;
  if (list && changes) {
    merged = *list;
    TIPHYS_CHECK_OK(merge_or_replace(merged, *changes, field, type, false));
  } else {
    Value value = list ? *list : *changes;
    if (!list) drop_directives(value);
    merged = std::move(value.get_array());
  }
  TIPHYS_CHECK_OK(strategic::order(merged, wanted, before, field.key));
  target[name] = std::move(merged);
  patch.stable_erase(name);
  return {};
}

Status set_orders(Object& target, Object& patch, const Typed& type) {
  std::vector<std::string> keys;
  for (const auto& member : patch) {
    if (member.key().starts_with(kElementOrder)) keys.emplace_back(member.key());
  }
  for (const std::string& key : keys) {
    const Value order = std::move(patch[key]);
    patch.stable_erase(key);
    if (!order.is_array()) return wrong(fmt::format("\"{}\" must be a list", key));
    TIPHYS_TRY(const std::string_view name, directed_field(key, kElementOrder));
    TIPHYS_CHECK_OK(set_order(target, patch, name, order.get_array(), type));
  }
  return {};
}

Status merge_member(Object& target, std::string_view name, Value change, const Typed& type, bool deletes) {
  if (change.is_null()) {
    target.stable_erase(name);
    return {};
  }
  Value* member = target.if_contains(name);
  if (!member || member->kind() != change.kind()) {
    if (deletes) return {};
    drop_nulls(change);
    set_member(target, name, std::move(change));
    return {};
  }
  if (member->is_object()) {
    TIPHYS_TRY(const PatchField field, known_field(type, name, false));
    if (field.merges) return merge_object(member->get_object(), std::move(change.get_object()), type.part(field));
    *member = std::move(change);
    return {};
  }
  if (member->is_array()) {
    TIPHYS_TRY(const PatchField field, known_field(type, name, true));
    return merge_or_replace(member->get_array(), std::move(change.get_array()), field, type, deletes);
  }
  *member = std::move(change);
  return {};
}

Status merge_object(Object& target, Object patch, const Typed& type) {
  if (const Value* directive = patch.if_contains(kPatch)) {
    if (*directive == "delete") {
      target.clear();
    } else if (*directive == "replace") {
      patch.stable_erase(kPatch);
      target = std::move(patch);
    } else {
      return wrong(fmt::format("$patch must be delete or replace, not {}", to_json(*directive)));
    }
    return {};
  }
  TIPHYS_CHECK_OK(retain_keys(target, patch));
  TIPHYS_CHECK_OK(set_orders(target, patch, type));
  for (auto& member : patch) {
    std::string_view name = member.key();
    const bool deletes = name.starts_with(kDeleteFromList);
    if (deletes) {
      TIPHYS_TRY(name, directed_field(name, kDeleteFromList));
    }
    Status merged = merge_member(target, name, std::move(member.value()), type, deletes);
    if (!merged) return std::unexpected(merged.error().in(name));
  }
  return {};
}

}  // namespace

Status apply_strategic_merge_patch(Value& target, const Value& patch, std::string_view kind, const PatchTypes& types) {
  if (!types.knows(kind)) {
    return wrong(fmt::format("{} cannot be patched with a strategic merge patch; use a merge or JSON patch", kind));
  }
  Object result;
  if (const Object* object = target.if_object()) result = *object;
  Object changes;
  if (const Object* object = patch.if_object()) changes = *object;
  const auto takes = [](const Value& value) { return value.is_object() || value.is_null(); };
  if (!takes(target) || !takes(patch)) return wrong("a strategic merge patch must be an object, and be for one");
  TIPHYS_CHECK_OK(merge_object(result, std::move(changes), {types, kind}));
  target = std::move(result);
  return {};
}

}  // namespace tiphys::doc
