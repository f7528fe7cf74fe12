// What users ask of the nodes of a run, as it waits in an annotation of the workflow.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"
#include "engine/run.h"

namespace tiphys::controllers {

struct NodeRequest {
  std::string id;
  engine::NodesRequested event;
};

/// Reads kNodeRequestsAnnotation. An error names what is wrong with it; one entry that cannot be read spoils all.
Result<std::vector<NodeRequest>> parse_node_requests(std::string_view json);

/// kNodeRequestsDoneAnnotation; what cannot be read counts as empty.
std::set<std::string> parse_done_requests(std::string_view json);
std::string render_done_requests(const std::set<std::string>& ids);

/// A JSON patch that removes both annotations if the requests are still those of `requests_json`.
doc::Value prune_requests_patch(std::string_view requests_json);

}  // namespace tiphys::controllers
