// A user's retry of a workflow that has ended, on its way to the controller: everything but the nodes is made ready at
// once, and an annotation asks for the rest, which changes very many of them.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/time.h"
#include "doc/value.h"

namespace tiphys::controllers {

struct RetryRequest {
  std::set<std::string> restarted{};  ///< ids of nodes that run again even if they have succeeded
  bool other_parameters = false;
};

/// Makes a workflow that has ended one that goes on (createNewRetryWorkflow), in all but its nodes. `chosen`: the user
/// names nodes to restart, as one that has succeeded needs.
Status ask_for_retry(doc::Value& workflow, const RetryRequest& request, bool chosen, Time now);

bool retry_asked(const doc::Value& workflow);
/// What is asked of a workflow for which retry_asked.
Result<RetryRequest> parse_retry_request(const doc::Value& workflow);

}  // namespace tiphys::controllers
