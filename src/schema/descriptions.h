// What the types of Kubernetes' built-in kinds and their fields are for, in words of our own: data/descriptions.txt.
#pragma once

#include <string_view>

namespace tiphys::schema {

/// Of a type by its name ("io.k8s.api.core.v1.Pod"), or of a field of it. "" where there is none.
std::string_view describe(std::string_view type, std::string_view field = {});

}  // namespace tiphys::schema
