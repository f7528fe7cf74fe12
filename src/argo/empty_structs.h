// What Go's types write though it is empty, so that clients in other languages read through it without a look: the
// arguments of a spec, the status of what has just been made.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cluster/cluster.h"

namespace tiphys::argo {

/// The object itself where it lacks nothing. Other kinds than Argo's lack nothing.
cluster::Object with_empty_structs(const cluster::Object& object);
/// The same of a value of this kind.
void add_empty_structs(doc::Value& object, std::string_view kind);
/// The same of a Workflow as it is written, without parsing it; nothing where it lacks nothing, or is no object.
std::optional<std::string> workflow_with_empty_structs(std::string_view json);

}  // namespace tiphys::argo
