// The link by which an object belongs to its workflow and is deleted with it.
#pragma once

#include <string_view>

#include "doc/value.h"

namespace tiphys::controllers {

/// A controlling ownerReference to a workflow, as metav1.NewControllerRef makes it.
doc::Object owner_reference(std::string_view workflow_name, std::string_view workflow_uid);
/// True when `object` is owned by the workflow with this uid.
bool owned_by(const doc::Value& object, std::string_view workflow_uid);

}  // namespace tiphys::controllers
