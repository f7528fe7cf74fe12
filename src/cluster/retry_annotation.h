// What a workflow that is to go on says of its nodes.
#pragma once

#include <string>

#include "cluster/node_requests.h"
#include "doc/value.h"

namespace tiphys::cluster {

/// The value of kRetryAnnotation. `restarted`: ids of nodes.
std::string retry_annotation(doc::Array restarted, bool other_parameters);

}  // namespace tiphys::cluster
