// The narrow table of steps that follows a run.
#pragma once

#include <string>
#include <vector>

#include "cli/view/node_tree.h"
#include "cli/view/style.h"

namespace tiphys::cli {

/// STEP, TEMPLATE, DURATION, MESSAGE for these lines.
std::string compact_rows(const std::vector<TreeLine>& lines, const Style& style, Time now);

/// The tree of a run, long rows of siblings folded.
std::string compact_tree(const std::string& workflow, const NodeMap& nodes, const Style& style, Time now);

/// A node's message for a line: control characters gone, and whether a cache spared its work.
std::string node_message(const api::NodeStatus& node);

}  // namespace tiphys::cli
