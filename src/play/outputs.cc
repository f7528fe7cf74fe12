#include "play/outputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "doc/yaml.h"

namespace tiphys::play {
namespace {

api::Artifact artifact_of(std::string name, const std::string& text) {
  api::Artifact artifact;
  artifact.name = std::move(name);
  artifact.location = doc::Object{{"raw", doc::Object{{"data", text}}}};
  artifact.raw = doc::Object{{"name", artifact.name}, {"raw", doc::Object{{"data", text}}}};
  return artifact;
}

api::Parameter parameter_of(std::string name, std::string value) {
  api::Parameter parameter;
  parameter.name = std::move(name);
  parameter.value = std::move(value);
  return parameter;
}

const doc::Array& declared(const doc::Value& tmpl, std::string_view list) {
  static const doc::Array kNone;
  const doc::Value* member = doc::find(tmpl, "outputs", list);
  return member && member->is_array() ? member->get_array() : kNone;
}

void check_names(const doc::Array& declared, const std::map<std::string, std::string>& given, std::string_view list,
                 const Ending& ending, std::vector<api::Finding>& findings) {
  std::vector<std::string> known;
  for (const doc::Value& each : declared) known.emplace_back(doc::find_string(each, "name"));
  for (const auto& [name, value] : given) {
    if (std::ranges::find(known, name) != known.end()) continue;
    findings.push_back(
        {.pointer = fmt::format("{}/outputs/{}{}", ending.outcome->pointer, list, doc::pointer_step(name)),
         .at_key = true,
         .message = fmt::format("template \"{}\" has no outputs.{}.{}{}", api::template_of(ending.node), list, name,
                                did_you_mean(name, known))});
  }
}

/// Where the plane would put it: what is in it is not known.
api::Artifact unknown_artifact(const doc::Value& wanted, const api::NodeStatus& node) {
  api::Artifact artifact;
  artifact.name = doc::find_string(wanted, "name");
  const std::string key = fmt::format("{}/{}", node.name, artifact.name);
  artifact.location = doc::Object{{"s3", doc::Object{{"key", key}}}};
  artifact.raw = doc::Object{{"name", artifact.name}, {"s3", doc::Object{{"key", key}}}};
  return artifact;
}

}  // namespace

api::Finding missing_mock(const api::NodeStatus& node, const std::string& pointer, const std::string& what,
                          bool has_mock) {
  std::string which = fmt::format("template: {}", api::template_of(node));
  if (node.template_ref) which = fmt::format("templateRef: {}/{}", node.template_ref->name, api::template_of(node));
  if (api::template_of(node).empty()) which = fmt::format("node: {}", node.name);
  const auto dot = what.rfind('.');
  const bool parameter = what.starts_with("outputs.parameters.");
  const std::string value = parameter ? fmt::format("parameters: {{{}: ...}}", what.substr(dot + 1)) : "result: ...";
  const std::string example = fmt::format("outputs: {{{}}}", value);
  return {.pointer = pointer,
          .at_key = true,
          .message = has_mock ? fmt::format("the mock of node \"{}\" lacks {}: add `{}`", node.name, what, example)
                              : fmt::format("node \"{}\" has no mock that gives {}: add `- {{{}, {}}}` to mocks",
                                            node.name, what, which, example)};
}

api::Outputs mocked_outputs(const Ending& ending, std::vector<api::Finding>& findings) {
  static const Values kNone;
  const Values& given = ending.outcome ? ending.outcome->outputs : kNone;
  const std::string& pointer = ending.outcome ? ending.outcome->pointer : ending.pointer;
  const doc::Array& parameters = declared(ending.template_document, "parameters");
  const doc::Array& artifacts = declared(ending.template_document, "artifacts");
  if (ending.outcome) {
    check_names(parameters, given.parameters, "parameters", ending, findings);
    check_names(artifacts, given.artifacts, "artifacts", ending, findings);
  }
  api::Outputs outputs;
  for (const doc::Value& wanted : parameters) {
    const std::string name(doc::find_string(wanted, "name"));
    const auto found = given.parameters.find(name);
    const doc::Value* fallback = doc::find(wanted, "valueFrom", "default");
    const doc::Value* fixed = doc::find(wanted, "value");
    if (found != given.parameters.end()) {
      outputs.parameters.push_back(parameter_of(name, found->second));
    } else if (fixed || fallback) {
      outputs.parameters.push_back(parameter_of(name, doc::scalar_text(fixed ? *fixed : *fallback)));
    } else {
      findings.push_back(missing_mock(ending.node, pointer, "outputs.parameters." + name, ending.outcome));
    }
  }
  for (const doc::Value& wanted : artifacts) {
    const std::string name(doc::find_string(wanted, "name"));
    const auto found = given.artifacts.find(name);
    outputs.artifacts.push_back(found == given.artifacts.end() ? unknown_artifact(wanted, ending.node)
                                                               : artifact_of(name, found->second));
  }
  outputs.result = given.result;
  if (ending.wants_result && !given.result) {
    findings.push_back(missing_mock(ending.node, pointer, "outputs.result", ending.outcome));
  }
  return outputs;
}

api::Outputs to_outputs(const Values& values) {
  api::Outputs outputs;
  outputs.result = values.result;
  for (const auto& [name, value] : values.parameters) outputs.parameters.push_back(parameter_of(name, value));
  for (const auto& [name, text] : values.artifacts) outputs.artifacts.push_back(artifact_of(name, text));
  return outputs;
}

std::string text_of(const api::Artifact& artifact) {
  const doc::Value location(artifact.location);
  if (const doc::Value* data = doc::find(location, "raw", "data")) return doc::scalar_text(*data);
  return std::string(doc::find_string(location, "s3", "key"));
}

}  // namespace tiphys::play
