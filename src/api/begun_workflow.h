// A workflow that is under way, or has ended, read by a version of this program that may judge more strictly than the
// one under which it began.
#pragma once

#include <vector>

#include "api/parse.h"

namespace tiphys::api {

/// As parse_stored_workflow, but errors within metadata, spec and status go to `passed_over`, and the fields to what
/// they are when absent. An error is what leaves nothing to go on with.
Result<Workflow> parse_begun_workflow(const doc::Value& document, std::vector<Finding>& passed_over);

}  // namespace tiphys::api
