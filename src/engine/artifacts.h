// Artifacts that go from one step to another.
#pragma once

#include <string>
#include <string_view>

#include "api/workflow.h"

namespace tiphys::engine {

/// What stands for an artifact in expressions: an object that only names it.
doc::Value artifact_marker(std::string_view name);
/// The name in such an object; "" when the value is none.
std::string_view marked_artifact(const doc::Value& value);

/// Points the artifact at what lies under `sub_path` of its place.
void append_to_key(api::Artifact& artifact, std::string_view sub_path);

}  // namespace tiphys::engine
