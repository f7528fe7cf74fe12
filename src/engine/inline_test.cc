// Inline templates are parts of their steps: their texts see what those of the steps do.
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

std::string manifest(std::string_view main) {
  return fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main, "
      "templates: "
      "[{{name: main, inputs: {{parameters: [{{name: p, value: outer}}]}}, {}}}, {{name: give, outputs: {{parameters: "
      "[{{name: o, valueFrom: {{path: /o}}}}]}}, container: {{image: i}}}}]}}}}",
      main);
}

struct Row {
  const char* rule;
  const char* main;
  std::map<std::string, std::string> args;  ///< by node
};

const Row kRows[] = {
    {"inputs of the template around it",
     "steps: [[{name: a, inline: {container: {image: i, args: ['{{inputs.parameters.p}}', "
     "'{{=inputs.parameters.p}}']}}}]]",
     {{"wf[0].a", R"(["outer","outer"])"}}},
    {"which hide its own of the same name",
     "dag: {tasks: [{name: a, arguments: {parameters: [{name: p, value: given}, {name: q, value: own}]}, inline: "
     "{inputs: "
     "{parameters: [{name: p}, {name: q}]}, container: {image: i, args: ['{{inputs.parameters.p}} "
     "{{inputs.parameters.q}}']}}}]}",
     {{"wf.a", R"(["outer own"])"}}},
    {"the item",
     "steps: [[{name: a, withItems: [{k: x}, {k: z}], inline: {container: {image: i, args: ['{{item.k}} "
     "{{item}}']}}}]]",
     {{"wf[0].a(0:k:x)", R"(["x {\"k\":\"x\"}"])"}, {"wf[0].a(1:k:z)", R"(["z {\"k\":\"z\"}"])"}}},
    {"outputs of others, by default values as well",
     "dag: {tasks: [{name: a, template: give}, {name: b, depends: a, inline: {inputs: {parameters: [{name: d, value: "
     "'{{tasks.a.outputs.parameters.o}}'}]}, container: {image: i, args: ['{{tasks.a.outputs.parameters.o}} "
     "{{inputs.parameters.d}}']}}}]}",
     {{"wf.b", R"(["v v"])"}}},
    {"its attempts and what is within it",
     "steps: [[{name: a, withItems: [1], inline: {retryStrategy: {limit: 1}, steps: [[{name: b, inline: {container: "
     "{image: i, args: ['{{inputs.parameters.p}} {{item}}']}}}, {name: 'c-{{inputs.parameters.p}}', template: "
     "give}]]}}]]",
     {{"wf[0].a(0:1)(0)[0].b", R"(["outer 1"])"}, {"wf[0].a(0:1)(1)[0].b", R"(["outer 1"])"}}},
};

TEST(Inline, SeesWhatItsStepSees) {
  for (const Row& row : kRows) {
    for (const bool crashes : {false, true}) {
      SCOPED_TRACE(fmt::format("{}{}", row.rule, crashes ? ", with restarts" : ""));
      FakeWorld world(manifest(row.main));
      world.ends = {{"wf.a", giving("o", "v")}, {"wf[0].a(0:1)(0)[0].c-outer", failing()}};
      world.apply(Started{});
      do {
        if (crashes && !world.run->status().finished()) world.crash();
      } while (world.step());
      EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded) << world.tree();
      for (const auto& [node, args] : row.args) EXPECT_EQ(world.args(node), args) << node << world.tree();
    }
  }
}

}  // namespace
}  // namespace tiphys::engine
