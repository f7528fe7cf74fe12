// Nodes as others read them.
#include "engine/machine.h"
#include "engine/names.h"

namespace tiphys::engine {

std::optional<api::NodeStatus> Machine::find_node(std::string_view id) const {
  const NodeIndex index = nodes_.find_id(id);
  if (index == kNoNode) return std::nullopt;
  return status_of(index);
}

api::Inputs Machine::inputs_of(const Node& node) const {
  if (node.extra && node.extra->inputs) return *node.extra->inputs;
  api::Inputs inputs;
  if (!node.inputs) return inputs;
  inputs.parameters = node.plan->source->inputs.parameters;
  for (std::size_t i = 0; i < inputs.parameters.size(); ++i) {
    inputs.parameters[i].value = node.inputs[i];
    inputs.parameters[i].value_from.reset();
  }
  return inputs;
}

/// Where the node's template was looked up: in the scope of the template that it is a part of.
std::string Machine::scope_of(const Node& node) const {
  if (node.type == api::NodeType::kContainer) return scope_of(nodes_[node.boundary]);
  const CompiledTemplate* around = node.boundary == kNoNode ? nullptr : nodes_[node.boundary].plan;
  if (around && !around->scope.empty()) return around->scope;
  // The original resolves in a spec without a name then.
  return workflow_.spec.workflow_template_ref ? "local/" : "local/" + workflow_.name;
}

api::NodeStatus Machine::status_of(NodeIndex index) const {
  const Node& node = nodes_[index];
  api::NodeStatus status;
  status.id = nodes_.id(index);
  status.name = node.name;
  status.type = node.type;
  status.phase = node.phase;
  status.template_name = node.template_name ? *node.template_name : "";
  if (node.template_ref) status.template_ref = *node.template_ref;
  status.template_scope = scope_of(node);
  status.boundary_id = nodes_.id(node.boundary);
  status.message = node.message;
  status.started_at = node.started_at;
  status.finished_at = node.finished_at;
  status.hooked = node.hooked;
  status.retried = node.retried;
  status.daemoned = node.daemoned;
  status.display_name = node.boundary == kNoNode ? node.name : display_name(node.name, nodes_[node.boundary].name);
  if (node.extra) {
    if (!node.extra->display_name.empty()) status.display_name = node.extra->display_name;
    status.pod_ip = node.extra->pod_ip;
    status.host_node_name = node.extra->host_node_name;
    status.memoization = node.extra->memoization;
    status.resources_duration = node.extra->resources_duration;
    status.awaited_lock = node.extra->awaited_lock;
    for (const NodeIndex out : node.extra->outbound) status.outbound_nodes.push_back(nodes_.id(out));
  }
  if (const Progress progress = node.progress_now(); progress.total > 0) {
    status.progress = to_text(progress);
  }
  if (node.inputs || (node.extra && node.extra->inputs)) status.inputs = inputs_of(node);
  if (node.has_outputs) {
    status.outputs = node.outputs ? node.outputs->whole() : api::Outputs{};
    if (node.exit_code != Node::kNoExitCode) status.outputs->exit_code = std::to_string(node.exit_code);
  }
  status.children.reserve(node.children.size());
  for (const NodeIndex child : node.children) status.children.push_back(nodes_.id(child));
  return status;
}

}  // namespace tiphys::engine
