// Fields that JSON writes twice in one object, of which a parsed value has the last alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::doc {

/// Their paths, as Kubernetes writes them: "spec.containers[0].image". Takes JSON that parses.
std::vector<std::string> duplicate_fields(std::string_view json);

}  // namespace tiphys::doc
