// What `tiphys explain` says of a field, from the tables that read it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::api {

/// `path` begins with a kind by name, plural or short name: "workflow.spec.templates.retryStrategy", "wf". Lists and
/// maps take no word of the path. An error names the nearest kind or field. `recursive` lists all fields below too.
Result<std::string> explain(std::string_view path, bool recursive);

}  // namespace tiphys::api
