// Executor plugins: sidecars that carry out plugin templates. Original: pkg/plugins/spec.
#pragma once

#include <string_view>
#include <vector>

#include "doc/value.h"

namespace tiphys::api {

/// What a plugin's container lacks, in the original's words: "at least one port is mandatory".
std::vector<std::string_view> lacks_of_plugin(const doc::Value& container);

}  // namespace tiphys::api
