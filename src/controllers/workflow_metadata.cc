#include "controllers/workflow_metadata.h"

#include <fmt/format.h>

#include <algorithm>

#include "controllers/global_scope.h"
#include "expr/expression.h"
#include "expr/go_text.h"
#include "expr/text_template.h"

namespace tiphys::controllers {
namespace {

constexpr std::size_t kLongestLabel = 63;

/// Nothing, or what Kubernetes has against a label's value.
std::string label_fault(std::string_view value) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (value.size() > kLongestLabel) return fmt::format("must be no more than {} characters", kLongestLabel);
  const bool allowed =
      std::ranges::all_of(value, [&](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
  if (value.empty() || (allowed && alphanumeric(value.front()) && alphanumeric(value.back()))) return "";
  return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
         "and end with an alphanumeric character";
}

std::unexpected<Error> wrong(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

using Pairs = std::map<std::string, std::string>;

Status substitute(const doc::Value* pairs, const expr::Scope& scope, Pairs& out) {
  if (!pairs || !pairs->is_object()) return {};
  for (const auto& [name, value] : pairs->get_object()) {
    TIPHYS_TRY(const auto text, expr::TextTemplate::compile(doc::scalar_text(value)));
    TIPHYS_TRY(out[std::string(name)], text.render(scope, expr::Unresolved::kKeep));
  }
  return {};
}

Result<std::string> evaluate(std::string_view name, const std::string& text, const expr::Scope& scope) {
  const auto expression = expr::Expression::compile(text);
  if (!expression) {
    return wrong(fmt::format("failed to compile function for expression \"{}\": {}", text, expression.error().message));
  }
  const auto value = expression->eval(scope);
  if (!value) {
    return wrong(
        fmt::format("failed to evaluate label \"{}\" expression \"{}\": {}", name, text, value.error().message));
  }
  const auto* label = value->if_string();
  if (!label) {
    return wrong(fmt::format("failed to evaluate label \"{}\" expression \"{}\" evaluted to {} but must be a string",
                             name, text, expr::go_type(*value)));
  }
  if (const std::string fault = label_fault(*label); !fault.empty()) {
    return wrong(fmt::format("invalid label value \"{}\" for label \"{}\" and expression \"{}\": {}",
                             std::string_view(*label), name, text, fault));
  }
  return std::string(*label);
}

}  // namespace

Result<WorkflowMetadata> workflow_metadata(const api::Workflow& workflow, const expr::Ambient& ambient) {
  WorkflowMetadata metadata;
  const doc::Value* written = doc::find(*workflow.spec.document, "workflowMetadata");
  if (!written) return metadata;
  expr::Scope scope = global_scope(workflow);
  scope.set_ambient(&ambient);
  TIPHYS_CHECK_OK(substitute(doc::find(*written, "labels"), scope, metadata.labels));
  TIPHYS_CHECK_OK(substitute(doc::find(*written, "annotations"), scope, metadata.annotations));
  for (const auto& [name, value] : metadata.labels) {
    if (const std::string fault = label_fault(value); !fault.empty()) {
      return wrong(fmt::format("invalid label value \"{}\" for label \"{}\": {}", value, name, fault));
    }
    scope.set("workflow.labels." + name, value);
  }
  for (const auto& [name, value] : metadata.annotations) scope.set("workflow.annotations." + name, value);
  const doc::Value* computed = doc::find(*written, "labelsFrom");
  if (!computed || !computed->is_object()) return metadata;
  for (const auto& [name, from] : computed->get_object()) {
    const std::string expression(doc::find_string(from, "expression"));
    TIPHYS_TRY(metadata.labels[std::string(name)], evaluate(name, expression, scope));
  }
  return metadata;
}

}  // namespace tiphys::controllers
