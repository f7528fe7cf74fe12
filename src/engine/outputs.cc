// The outputs that steps and dag templates take from their members.
#include <fmt/format.h>

#include "engine/declarations.h"
#include "engine/machine.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

/// Nothing: the text is one tag, and it stands for the output of a skipped step without a default. What is not known is
/// told without its braces, as in the original.
Result<std::optional<std::string>> read_parameter(const Text& text, const expr::Scope& globals,
                                                  const Variables& variables) {
  if (text.constant()) {
    expr::Scope scope(&globals);
    variables.provide(text.source(), scope);
    if (const std::string* value = scope.text(text.source())) return *value;
    if (const doc::Value* value = scope.value(text.source()); value && value->is_null()) return std::nullopt;
    return fail(Code::kNotFound, fmt::format("Unable to resolve: \"{}\"", text.source()));
  }
  auto value = render(text, globals, variables, Leftover::kFailAll);
  if (value) return std::move(*value);
  if (value.error().code == Code::kFailedPrecondition) return std::nullopt;
  const std::string_view tag = text.sole_tag();
  if (tag.empty()) return std::unexpected(value.error());
  return fail(Code::kNotFound, fmt::format("Unable to resolve: \"{}\"", tag));
}

}  // namespace

Result<std::string> Machine::output_value(const OutputPlan& plan, const Variables& variables) {
  const api::Parameter& source = *plan.source;
  if (!source.value_from) return fail(Code::kInvalidArgument, "output parameters must have a valueFrom specified");
  const bool has_default = source.value_from->default_value.has_value();
  const auto default_value = [&] { return render(plan.default_text, globals(), variables, Leftover::kKeep); };
  if (!plan.expression.empty()) {
    Result<doc::Value> value = doc::Value(nullptr);
    if (const auto expression = plan.expression.filled(globals(), variables)) {
      expr::Scope scope(&globals());
      for (const std::string& name : expression->references()) variables.provide(name, scope);
      value = expression->eval(scope);
    } else {
      value = std::unexpected(expression.error());
    }
    if (value && !value->is_null()) return doc::scalar_text(*value);
    if (has_default) return default_value();
    if (!value) return std::unexpected(value.error());
    return fail(Code::kInvalidArgument,
                fmt::format("failed to evaluate expression \"{}\"", source.value_from->expression));
  }
  if (plan.from.empty()) {
    if (has_default) return default_value();
    return std::string();
  }
  auto value = read_parameter(plan.from, globals(), variables);
  if (value && *value) return std::move(**value);
  if (has_default) return default_value();
  if (!value) return std::unexpected(value.error());
  return fail(Code::kFailedPrecondition,
              fmt::format("output parameter \"{}\": \"{}\" is an absent optional (skipped/omitted node output with no "
                          "default)",
                          source.name, source.value_from->parameter));
}

Result<std::optional<api::Outputs>> Machine::outputs_of(Frame& frame) {
  const CompiledTemplate& plan = *frame.plan;
  if (plan.outputs.empty() && plan.output_artifacts.empty()) return std::nullopt;
  const SiblingVariables variables(*this, frame.node);
  api::Outputs outputs;
  for (const OutputPlan& output : plan.outputs) {
    TIPHYS_TRY(std::string value, output_value(output, variables));
    api::Parameter parameter = *output.source;
    parameter.value = std::move(value);
    parameter.value_from.reset();
    fill_declaration(parameter, globals(), variables);
    outputs.parameters.push_back(std::move(parameter));
  }
  for (const ArtifactPlan& output : plan.output_artifacts) {
    if (output.from.empty() && output.from_expression.empty()) continue;
    auto artifact = resolve_artifact(output, variables, frame.node);
    if (!artifact) {
      // One that is not there, that is: an expression that is wrong stays wrong.
      if (output.source->optional && artifact.error().code == Code::kNotFound) continue;
      return std::unexpected(artifact.error().in("unable to resolve outputs from scope"));
    }
    // It keeps the global name that it was made with; another here is of no meaning, as in the original.
    if (*artifact) outputs.artifacts.push_back(std::move(**artifact));
  }
  return outputs;
}

}  // namespace tiphys::engine
