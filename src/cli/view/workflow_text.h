// What `get` and `watch` print of one workflow: a block of facts and the tree of its nodes. Forms:
// cmd/argo/commands/common/get.go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "argo/node_selector.h"
#include "cli/view/node_tree.h"
#include "cli/view/style.h"
#include "doc/value.h"

namespace tiphys::cli {

using argo::NodeSelector;

enum class TreeOutput { kDefault, kWide, kShort };

struct TreeOptions {
  TreeOutput output = TreeOutput::kDefault;
  NodeSelector selector;
  Style style;
};

/// status.nodes of a workflow.
Result<NodeMap> read_nodes(const doc::Value& workflow);

/// The whole text. `workflow` need not have status.nodes: `nodes` are taken.
std::string workflow_text(const doc::Value& workflow, const NodeMap& nodes, const TreeOptions& options, Time now);
/// Only the lines "Name:" to the outputs.
std::string workflow_facts(const doc::Value& workflow, const NodeMap& nodes, const Style& style, Time now);
/// Only the table of nodes, its heading included; "" before the entrypoint's node exists.
std::string tree_table(const std::string& workflow_name, const NodeMap& nodes, const TreeOptions& options, Time now);

/// The spec, or null.
const doc::Value& spec_of(const doc::Value& workflow);
/// The spec that runs: the stored one of a workflow that refers to a template, once it has begun.
const doc::Value& running_spec(const doc::Value& workflow);
/// Status as people read it, with what the spec asks for: "Running (Suspended)", "Failed (Terminated)", "Pending".
std::string workflow_status(const doc::Value& workflow, const doc::Value& spec, const NodeMap& nodes);

/// status.startedAt and its like; unset when missing.
Time time_at(const doc::Value& workflow, std::string_view section, std::string_view field);

/// The node's template as the tree shows it: "leaf", or "library/leaf" of another object.
std::string shown_template(const api::NodeStatus& node);
/// The pod of a node, by the naming that workflows carry in their annotation (v2 unless it says v1).
std::string pod_name(const std::string& workflow_name, const api::NodeStatus& node);

}  // namespace tiphys::cli
