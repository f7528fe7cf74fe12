#include "engine/artifacts.h"

#include "api/artifact_location.h"
#include "engine/machine.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

constexpr std::string_view kMarker = "\001artifact";

/// `text` without the braces around it.
std::string_view without_braces(std::string_view text) {
  if (text.starts_with("{{")) text.remove_prefix(2);
  if (text.ends_with("}}")) text.remove_suffix(2);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

Result<std::string> evaluate_to_artifact(std::string_view text, const expr::Scope& globals,
                                         const Variables& variables) {
  TIPHYS_TRY(const auto expression, expr::Expression::compile(text));
  expr::Scope scope(&globals);
  for (const std::string& name : expression.references()) variables.provide(name, scope);
  TIPHYS_TRY(const doc::Value value, expression.eval(scope));
  const std::string_view name = marked_artifact(value);
  if (name.empty()) {
    return fail(Code::kInvalidArgument, "Variable {{" + std::string(text) + "}} is not an artifact");
  }
  return std::string(name);
}

}  // namespace

doc::Value artifact_marker(std::string_view name) {
  return doc::Object{{kMarker, name}};
}

std::string_view marked_artifact(const doc::Value& value) {
  return doc::find_string(value, kMarker);
}

void append_to_key(api::Artifact& artifact, std::string_view sub_path) {
  if (sub_path.empty()) return;
  bool placed = false;
  for (doc::Object* holder : {&artifact.location, &artifact.raw}) {
    const std::string_view kind = api::location_kind(*holder);
    if (kind.empty()) continue;
    doc::Value& place = holder->at(kind);
    const std::string key = api::join_key(api::location_key(kind, place), sub_path);
    placed = api::set_location_key(kind, place, key) || placed;
  }
  // A place without a key: who loads the artifact picks the part.
  if (!placed) artifact.sub_path = sub_path;
}

Result<std::optional<api::Artifact>> Machine::resolve_artifact(const ArtifactPlan& plan, const Variables& variables,
                                                               NodeIndex around) {
  const api::Artifact& source = *plan.source;
  if (plan.from.empty() && plan.from_expression.empty()) {
    api::Artifact artifact = source;
    if (!plan.raw) return artifact;
    TIPHYS_TRY(const doc::Shared raw, render(*plan.raw, plan.raw->references(), globals(), variables));
    artifact.raw = raw->as_object();
    for (auto& [kind, where] : artifact.location) {
      if (const doc::Value* rendered = artifact.raw.if_contains(kind)) where = *rendered;
    }
    return artifact;
  }
  std::string name;
  if (!plan.from_expression.empty()) {
    TIPHYS_TRY(const std::string text, render(plan.from_expression, globals(), variables, Leftover::kKeep));
    TIPHYS_TRY(name, evaluate_to_artifact(text, globals(), variables));
  } else {
    std::string text = plan.from.source();
    const std::string_view inner = without_braces(text);
    if (inner.starts_with('=')) {
      TIPHYS_TRY(name, evaluate_to_artifact(inner.substr(1), globals(), variables));
    } else if (has_tag(inner)) {
      // A tag within the tag names the step.
      const auto close = inner.find("{{");
      TIPHYS_TRY(const std::string part, render(inner.substr(close), globals(), variables, Leftover::kKeep));
      name = std::string(inner.substr(0, close)) + part;
    } else {
      name = inner;
    }
  }
  TIPHYS_TRY(auto artifact, find_artifact(name, around));
  if (!artifact) return fail(Code::kNotFound, "Unable to resolve: \"" + name + "\"");
  TIPHYS_TRY(const std::string sub_path, render(plan.sub_path, globals(), variables, Leftover::kKeep));
  append_to_key(*artifact, sub_path);
  artifact->name = source.name;
  artifact->raw["name"] = source.name;
  return artifact;
}

/// Nothing when there is none of that name.
Result<std::optional<api::Artifact>> Machine::find_artifact(std::string_view tag, NodeIndex around) {
  const auto pick = [](const std::vector<api::Artifact>& artifacts,
                       std::string_view name) -> std::optional<api::Artifact> {
    for (const api::Artifact& artifact : artifacts) {
      if (artifact.name == name) return artifact;
    }
    return std::nullopt;
  };
  constexpr std::string_view kInputs = "inputs.artifacts.", kGlobal = "workflow.outputs.artifacts.",
                             kOutputs = "outputs.artifacts.";
  if (tag.starts_with(kGlobal)) {
    if (!status_.outputs) return std::nullopt;
    return pick(status_.outputs->artifacts, tag.substr(kGlobal.size()));
  }
  if (around == kNoNode) return std::nullopt;
  if (tag.starts_with(kInputs)) return pick(inputs_of(nodes_[around]).artifacts, tag.substr(kInputs.size()));
  Frame* frame = frame_of(around);
  const std::string_view root = frame && frame->plan->dag() ? "tasks." : "steps.";
  if (!frame || !tag.starts_with(root)) return std::nullopt;
  tag.remove_prefix(root.size());
  const auto found = frame->plan->find_task(tag);
  if (!found) return std::nullopt;
  const auto& [task, field] = *found;
  const NodeIndex index = frame->tasks[task].node;
  if (!field.starts_with(kOutputs) || index == kNoNode) return std::nullopt;
  const std::string_view name = field.substr(kOutputs.size());
  const Node& node = nodes_[effective(index)];
  if (node.outputs) return pick(node.outputs->artifacts(), name);
  // In steps a skipped step has its declared artifacts, empty; in a dag it has none.
  const CompiledTemplate* target = frame->plan->tasks[task].target;
  if (node.phase != api::NodePhase::kSkipped || frame->plan->dag() || !target) return std::nullopt;
  if (!pick(target->source->outputs.artifacts, name)) return std::nullopt;
  return api::Artifact{};
}

}  // namespace tiphys::engine
