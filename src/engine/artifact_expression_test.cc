// Artifacts that steps and dags give by `from` and `fromExpression`, also those of members that were skipped.
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

api::Artifact artifact_of(std::string_view name, std::string_view key) {
  api::Artifact artifact;
  artifact.name = name;
  artifact.path = "/a";
  artifact.location = doc::Object{{"s3", doc::Object{{"key", key}}}};
  artifact.raw = doc::Object{{"name", name}, {"path", "/a"}, {"s3", doc::Object{{"key", key}}}};
  return artifact;
}

struct Row {
  std::string rule;
  std::string output;  ///< of the steps and the dag: how "o" is given
  std::string steps;   ///< what is given, or the message
  std::string tasks;   ///< the same of a dag; "" for as in steps
};

std::string outcome(const Row& row, bool dag) {
  std::string output = row.output;
  for (std::size_t at = 0; dag && (at = output.find("steps", at)) != output.npos;) output.replace(at, 5, "tasks");
  const std::string_view members = "[{name: a, template: make}, {name: b, template: make, when: '1 == 2'}]";
  FakeWorld world(fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main, "
      "templates: [{{name: main, {}, outputs: {{artifacts: [{{name: o, {}}}]}}}}, {{name: make, container: {{image: "
      "i}}, outputs: {{artifacts: [{{name: a, path: /a}}]}}}}]}}}}",
      dag ? fmt::format("dag: {{tasks: {}}}", members) : fmt::format("steps: [{}]", members), output));
  world.script = [](const CreatePod&) {
    PodEnd end;
    end.outputs.emplace().artifacts.push_back(artifact_of("a", "k"));
    return end;
  };
  world.play();
  const api::NodeStatus& node = world.node("wf");
  if (node.phase != api::NodePhase::kSucceeded) return node.message;
  if (!node.outputs || node.outputs->artifacts.empty()) return "nothing";
  return doc::to_json(doc::Value(node.outputs->artifacts[0].raw));
}

TEST(ArtifactOutputs, Rules) {
  const std::string kept = R"({"name":"o","path":"/a","s3":{"key":"k"}})";
  const std::string empty = R"({"name":"o"})";
  const std::string wrong = "unable to resolve outputs from scope: ";
  const Row rows[] = {
      {"a member's", "fromExpression: steps.a.outputs.artifacts.a", kept, ""},
      {"by its name", "fromExpression: \"steps['a'].outputs.artifacts.a\"", kept, ""},
      {"one of two",
       "fromExpression: \"steps.b.status == 'Skipped' ? steps.a.outputs.artifacts.a : steps.b.outputs.artifacts.a\"",
       kept, ""},
      {"of one that was skipped", "from: '{{steps.b.outputs.artifacts.a}}'", empty,
       wrong + "Unable to resolve: \"tasks.b.outputs.artifacts.a\""},
      {"of one that was skipped, by an expression", "fromExpression: steps.b.outputs.artifacts.a", empty,
       wrong + "unknown name tasks (1:1)\n | tasks.b.outputs.artifacts.a\n | ^"},
      {"an empty one is one", "fromExpression: steps.b?.outputs?.artifacts?.a ?? steps.a.outputs.artifacts.a", empty,
       kept},
      {"what is no artifact", "fromExpression: '1+1'", wrong + "Variable {{1+1}} is not an artifact", ""},
      {"nor does it become optional", "optional: true, fromExpression: '1+1'",
       wrong + "Variable {{1+1}} is not an artifact", ""},
      {"an expression that is wrong, though optional", "optional: true, fromExpression: nope",
       wrong + "unknown name nope (1:1)\n | nope\n | ^", ""},
      {"what is not there, optional", "optional: true, from: '{{steps.a.outputs.artifacts.none}}'", "nothing", ""},
      {"what is not there", "from: '{{steps.a.outputs.artifacts.none}}'",
       wrong + "Unable to resolve: \"steps.a.outputs.artifacts.none\"",
       wrong + "Unable to resolve: \"tasks.a.outputs.artifacts.none\""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(outcome(row, false), row.steps) << row.rule;
    EXPECT_EQ(outcome(row, true), row.tasks.empty() ? row.steps : row.tasks) << row.rule << ", in a dag";
  }
}

}  // namespace
}  // namespace tiphys::engine
