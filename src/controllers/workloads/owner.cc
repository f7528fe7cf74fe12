#include "controllers/workloads/owner.h"

#include "controllers/workloads/fields.h"

namespace tiphys::controllers::workloads {

const doc::Value* controller_of(const doc::Value& object) {
  for (const doc::Value& owner : list_at(object, "metadata", "ownerReferences")) {
    if (is_true_at(owner, "controller")) return &owner;
  }
  return nullptr;
}

std::string_view controller_uid(const doc::Value& object) {
  const doc::Value* owner = controller_of(object);
  return owner ? doc::find_string(*owner, "uid") : std::string_view();
}

doc::Object controller_reference(const cluster::Resource& resource, const doc::Value& owner) {
  return {{"apiVersion", resource.api_version()},
          {"kind", resource.kind},
          {"name", name_of(owner)},
          {"uid", uid_of(owner)},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

}  // namespace tiphys::controllers::workloads
