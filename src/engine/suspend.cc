// Suspend nodes: they wait for a time or a user.
#include <algorithm>

#include "doc/value.h"
#include "engine/declarations.h"
#include "engine/machine.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

/// The outputs that a user is to give, with the inputs' defaults where they have none (operator.go,
/// addRawOutputFields).
std::optional<api::Outputs> awaited_outputs(const api::Template& source, const api::Inputs& inputs) {
  api::Outputs outputs;
  for (api::Parameter parameter : source.outputs.parameters) {
    if (!parameter.value_from || !parameter.value_from->supplied) continue;
    if (!parameter.value_from->default_value) {
      const auto input = std::ranges::find(inputs.parameters, parameter.name, &api::Parameter::name);
      if (input != inputs.parameters.end()) parameter.value_from->default_value = input->default_value;
    }
    outputs.parameters.push_back(std::move(parameter));
  }
  if (outputs.parameters.empty()) return std::nullopt;
  return outputs;
}

/// An input whose value is itself a parameter in JSON gives the choices that the user has.
bool read_choices(api::Parameter& input) {
  if (!input.value) return false;
  const auto value = doc::parse_json(*input.value);
  const doc::Value* choices = value ? doc::find(*value, "enum") : nullptr;
  if (!choices || !choices->is_array() || choices->get_array().empty()) return false;
  input.enum_values.clear();
  for (const auto& choice : choices->get_array()) input.enum_values.push_back(doc::scalar_text(choice));
  if (!input.default_value) input.default_value = input.enum_values.front();
  return true;
}

}  // namespace

void Machine::wait_suspended(NodeIndex index) {
  Node& node = nodes_[index];
  api::Inputs inputs = inputs_of(node);
  // One that has waited before, in a run that this one follows, keeps the values that it got.
  auto outputs = node.has_outputs ? std::nullopt : awaited_outputs(*node.plan->source, inputs);
  if (outputs) {
    const BodyVariables variables(*this, index);
    for (api::Parameter& parameter : outputs->parameters) fill_declaration(parameter, globals(), variables);
    node.outputs = std::make_unique<NodeOutputs>(std::move(*outputs), nullptr);
    node.has_outputs = true;
  }
  bool choices = false;
  for (api::Parameter& input : inputs.parameters) choices |= read_choices(input);
  if (choices) node.extras().inputs = std::move(inputs);
  if (!node.plan->suspend_duration.empty()) {
    const auto text = render(node.plan->suspend_duration, globals(), BodyVariables(*this, index), Leftover::kKeep);
    if (!text) return errored(index, text.error().message);
    const auto duration = parse_seconds_or_duration(*text);
    if (!duration) return errored(index, duration.error().message);
    set_timer({node.started_at + *duration, Timer::Kind::kSuspend, index});
  }
  set_phase(index, api::NodePhase::kRunning);
  if (!executes(node.on_exit)) {
    return set_phase(index, api::NodePhase::kFailed, "Stopped with strategy '" + shutdown_ + "'");
  }
  if (past_deadline() && !node.on_exit) set_phase(index, api::NodePhase::kFailed, "Step exceeded its deadline");
}

void Machine::export_outputs(NodeIndex index) {
  const Node& node = nodes_[index];
  if (node.outputs) export_globals(node.plan, node.outputs->whole());
}

Status Machine::use_supplied_defaults(Node& node) {
  api::Outputs* outputs = node.outputs ? node.outputs->mutable_whole() : nullptr;
  if (!outputs) return {};
  for (api::Parameter& parameter : outputs->parameters) {
    if (!parameter.value_from || !parameter.value_from->supplied) continue;
    if (!parameter.value_from->default_value) {
      return fail(Code::kFailedPrecondition,
                  "raw output parameter '" + parameter.name + "' has not been set and does not have a default value");
    }
    parameter.value = parameter.value_from->default_value;
    parameter.value_from.reset();
  }
  return {};
}

void Machine::suspend_over(NodeIndex index) {
  Node& node = nodes_[index];
  if (auto status = use_supplied_defaults(node); !status) return errored(index, status.error().message);
  export_outputs(index);
  set_phase(index, api::NodePhase::kSucceeded);
}

bool Machine::matches(NodeIndex index, const std::vector<std::pair<std::string, std::string>>& fields) const {
  const api::NodeStatus node = status_of(index);
  const auto value_of = [&](std::string_view field) -> std::string {
    if (field == "displayName") return node.display_name;
    if (field == "templateName") return node.template_name;
    if (field == "phase") return std::string(api::node_phase_name(node.phase));
    if (field == "name") return node.name;
    if (field == "id") return node.id;
    constexpr std::string_view kPrefix = "inputs.parameters.", kSuffix = ".value";
    if (!node.inputs || !field.starts_with(kPrefix) || !field.ends_with(kSuffix)) return "";
    field.remove_prefix(kPrefix.size());
    field.remove_suffix(std::min(kSuffix.size(), field.size()));
    const auto found = std::ranges::find(node.inputs->parameters, field, &api::Parameter::name);
    return found == node.inputs->parameters.end() ? "" : found->value.value_or("");
  };
  return std::ranges::all_of(fields, [&](const auto& field) { return value_of(field.first) == field.second; });
}

void Machine::handle(const NodesRequested& event) {
  for (const NodeIndex index : open_nodes()) {
    Node& node = nodes_[index];
    if (node.type != api::NodeType::kSuspend || node.phase != api::NodePhase::kRunning) continue;
    if (!matches(index, event.fields)) continue;
    for (const auto& [name, value] : event.output_parameters) {
      api::Outputs* outputs = node.outputs ? node.outputs->mutable_whole() : nullptr;
      if (!outputs) break;
      for (api::Parameter& parameter : outputs->parameters) {
        if (parameter.name != name || !parameter.value_from || !parameter.value_from->supplied) continue;
        parameter.value = value;
        parameter.value_from.reset();
        nodes_.touch(index);
      }
    }
    if (!event.phase) {
      if (!event.message.empty()) set_message(index, event.message);
      export_outputs(index);
      continue;
    }
    // Resuming all takes the defaults first; what has none stays suspended.
    if (*event.phase == api::NodePhase::kSucceeded && event.fields.empty() && !use_supplied_defaults(node)) {
      continue;
    }
    export_outputs(index);
    std::string message = event.message;
    if (event.fields.empty() && !node.message.empty()) message = node.message + "; " + message;
    if (message.empty()) message = node.message;
    set_phase(index, *event.phase, std::move(message));
  }
}

}  // namespace tiphys::engine
