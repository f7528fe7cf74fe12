#include "doc/patch.h"

namespace tiphys::doc {
namespace {

/// Drops the members that are null, within lists too.
Value without_nulls(const Value& value) {
  if (const Array* array = value.if_array()) {
    Array out;
    out.reserve(array->size());
    for (const Value& element : *array) out.push_back(without_nulls(element));
    return out;
  }
  const Object* object = value.if_object();
  if (!object) return value;
  Object out;
  for (const auto& member : *object) {
    if (!member.value().is_null()) out.emplace(member.key(), without_nulls(member.value()));
  }
  return out;
}

void merge(Object& target, const Object& patch) {
  for (const auto& member : patch) {
    const Value& change = member.value();
    if (change.is_null()) {
      target.stable_erase(member.key());
      continue;
    }
    Value& old = target[member.key()];
    if (!old.is_object()) {
      old = without_nulls(change);
    } else if (change.is_object()) {
      merge(old.get_object(), change.get_object());
    } else {
      old = change;
    }
  }
}

}  // namespace

Status apply_merge_patch(Value& target, const Value& patch) {
  if (target.is_null()) return fail(Code::kInvalidArgument, "a merge patch is not for a document that is null");
  if (!patch.is_structured()) return fail(Code::kInvalidArgument, "a merge patch must be an object or a list");
  if (target.is_object() && patch.is_object()) {
    merge(target.get_object(), patch.get_object());
  } else {
    target = without_nulls(patch);
  }
  return {};
}

}  // namespace tiphys::doc
