#include "doc/nulls.h"

namespace tiphys::doc {

void drop_nulls(Value& value) {
  if (Array* array = value.if_array()) {
    for (Value& element : *array) drop_nulls(element);
    return;
  }
  Object* object = value.if_object();
  if (!object) return;
  for (auto member = object->begin(); member != object->end();) {
    if (member->value().is_null()) {
      member = object->stable_erase(member);
    } else {
      drop_nulls(member->value());
      ++member;
    }
  }
}

}  // namespace tiphys::doc
