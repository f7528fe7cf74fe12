// What a user asks of suspended nodes, put where the workflow controller finds it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/session.h"
#include "cli/view/workflow_text.h"

namespace tiphys::cli {

struct NodeRequest {
  const NodeSelector* selector = nullptr;  ///< empty: all that wait
  std::string phase;                       ///< "" leaves it
  std::string message;
  doc::Object output_parameters;
};

/// Appends a request to the workflow's annotation. kInvalidArgument for selectors with "!=".
Status request_nodes(Session& session, const cluster::Key& workflow, const NodeRequest& request);

/// "NAME=VALUE", a value in double quotes read as Go reads it.
Result<doc::Object> parse_output_parameters(const std::vector<std::string>& parameters);

}  // namespace tiphys::cli
