#include "argo/node_selector.h"

#include <fmt/format.h>

#include "api/node_status.h"

namespace tiphys::argo {
namespace {

std::string node_field(const api::NodeStatus& node, std::string_view field) {
  if (field == "displayName") return node.display_name;
  if (field == "templateName") return api::template_of(node);
  if (field == "templateRef.name" && node.template_ref) return node.template_ref->name;
  if (field == "templateRef.template" && node.template_ref) return node.template_ref->template_name;
  if (field == "phase") return std::string(api::node_phase_name(node.phase));
  if (field == "name") return node.name;
  if (field == "id") return node.id;
  constexpr std::string_view kParameters = "inputs.parameters.";
  constexpr std::string_view kValue = ".value";
  if (field.starts_with(kParameters) && field.ends_with(kValue) && node.inputs) {
    field.remove_prefix(kParameters.size());
    field.remove_suffix(kValue.size());
    for (const auto& parameter : node.inputs->parameters) {
      if (parameter.name == field) return parameter.value.value_or("");
    }
  }
  return {};
}

}  // namespace

Result<NodeSelector> NodeSelector::parse(std::string_view fields, std::string_view status) {
  if (!fields.empty() && !status.empty()) {
    return fail(Code::kInvalidArgument, "cannot use both --status and --node-field-selector");
  }
  const std::string text = status.empty() ? std::string(fields) : fmt::format("phase={}", status);
  NodeSelector selector;
  auto parsed = cluster::Selector::parse_fields(text);
  if (!parsed) return std::unexpected(parsed.error().in("selector is invalid"));
  selector.selector_ = std::move(*parsed);
  return selector;
}

bool NodeSelector::matches(const api::NodeStatus& node) const {
  for (const auto& requirement : selector_.requirements()) {
    const bool equal = !requirement.values.empty() && node_field(node, requirement.key) == requirement.values.front();
    if (equal != (requirement.op == cluster::Requirement::Op::kEquals)) return false;
  }
  return true;
}

}  // namespace tiphys::argo
