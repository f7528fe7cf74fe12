// What a user asks of suspended nodes, from the command line.
#pragma once

#include <string>
#include <vector>

#include "argo/node_request.h"
#include "cli/session.h"

namespace tiphys::cli {

/// argo::request_nodes, waited for.
Status request_nodes(Session& session, const cluster::Key& workflow, const argo::NodeRequest& request);

/// "NAME=VALUE", a value in double quotes read as Go reads it.
Result<doc::Object> parse_output_parameters(const std::vector<std::string>& parameters);

}  // namespace tiphys::cli
