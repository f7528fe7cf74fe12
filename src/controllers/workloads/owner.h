// Who controls an object (metav1.GetControllerOf, NewControllerRef).
#pragma once

#include <string_view>

#include "cluster/resource.h"
#include "doc/value.h"

namespace tiphys::controllers::workloads {

/// The reference to the one owner that controls it; nullptr when none does.
const doc::Value* controller_of(const doc::Value& object);
/// uid of that owner; "" when there is none.
std::string_view controller_uid(const doc::Value& object);
doc::Object controller_reference(const cluster::Resource& resource, const doc::Value& owner);

}  // namespace tiphys::controllers::workloads
