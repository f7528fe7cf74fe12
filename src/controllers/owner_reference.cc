#include "controllers/owner_reference.h"

#include "cluster/resource.h"

namespace tiphys::controllers {

doc::Object owner_reference(std::string_view workflow_name, std::string_view workflow_uid) {
  return {{"apiVersion", cluster::kWorkflows.api_version()},
          {"kind", cluster::kWorkflows.kind},
          {"name", workflow_name},
          {"uid", workflow_uid},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

bool owned_by(const doc::Value& object, std::string_view workflow_uid) {
  const doc::Value* owners = doc::find(object, "metadata", "ownerReferences");
  if (!owners || !owners->is_array()) return false;
  for (const doc::Value& owner : owners->get_array()) {
    if (doc::find_string(owner, "uid") == workflow_uid) return true;
  }
  return false;
}

}  // namespace tiphys::controllers
