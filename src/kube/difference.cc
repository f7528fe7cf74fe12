#include "kube/difference.h"

namespace tiphys::kube {

doc::Value difference(const doc::Value& before, const doc::Value& after) {
  if (!before.is_object() || !after.is_object()) return after;
  doc::Object patch;
  for (const auto& [key, value] : before.get_object()) {
    if (!value.is_null() && !doc::find(after, key)) patch[key] = nullptr;
  }
  for (const auto& [key, value] : after.get_object()) {
    const doc::Value* old = doc::find(before, key);
    if (!old) {
      if (!value.is_null()) patch[key] = value;
    } else if (*old != value) {
      patch[key] = difference(*old, value);
    }
  }
  return patch;
}

}  // namespace tiphys::kube
