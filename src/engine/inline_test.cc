// Inline templates are parts of their steps: their texts see what those of the steps do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

std::string manifest(std::string_view main) {
  return fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main, "
      "templates: "
      "[{{name: main, inputs: {{parameters: [{{name: p, value: outer}}]}}, {}}}, {{name: give, outputs: {{parameters: "
      "[{{name: o, valueFrom: {{path: /o}}}}]}}, container: {{image: i}}}}, {{name: again, retryStrategy: {{limit: "
      "1}}, "
      "outputs: {{parameters: [{{name: o, valueFrom: {{path: /o}}}}]}}, container: {{image: i}}}}, {{name: echo, "
      "inputs: "
      "{{parameters: [{{name: m, default: none}}]}}, container: {{image: i, args: "
      "['{{{{inputs.parameters.m}}}}']}}}}]}}}}",
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

void play(FakeWorld& world, bool crashes) {
  world.apply(Started{});
  do {
    if (crashes && !world.run->status().finished()) world.crash();
  } while (world.step());
}

TEST(Inline, SeesWhatItsStepSees) {
  for (const Row& row : kRows) {
    for (const bool crashes : {false, true}) {
      SCOPED_TRACE(fmt::format("{}{}", row.rule, crashes ? ", with restarts" : ""));
      FakeWorld world(manifest(row.main));
      world.ends = {{"wf.a", giving("o", "v")}, {"wf[0].a(0:1)(0)[0].c-outer", failing()}};
      play(world, crashes);
      EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded) << world.tree();
      for (const auto& [node, args] : row.args) EXPECT_EQ(world.args(node), args) << node << world.tree();
    }
  }
}

/// Names of steps and tasks, and what else names something.
const Row kNames[] = {
    {"the item",
     "steps: [[{name: a, withItems: [p, q], inline: {steps: [[{name: 'run-{{item}}', template: echo, arguments: "
     "{parameters: [{name: m, value: '{{item}}'}]}}]]}}]]",
     {{"wf[0].a(0:p)[0].run-p", R"(["p"])"}, {"wf[0].a(1:q)[0].run-q", R"(["q"])"}}},
    {"of an object, in a template within it",
     "dag: {tasks: [{name: a, withItems: [{k: x}, {k: z}], inline: {steps: [[{name: b, inline: {dag: {tasks: [{name: "
     "'on-{{item.k}}', template: give}, {name: c, template: echo, depends: 'on-{{item.k}}.Succeeded'}]}}}]]}}]}",
     {{"wf.a(0:k:x)[0].b.c", R"(["none"])"}, {"wf.a(1:k:z)[0].b.on-z", ""}}},
    {"outputs of steps before it, and what they are called",
     "steps: [[{name: g, template: give}], [{name: a, inline: {dag: {tasks: [{name: "
     "'on-{{steps.g.outputs.parameters.o}}', template: '{{steps.g.outputs.parameters.kind}}', arguments: {parameters: "
     "[{name: m, value: '{{inputs.parameters.p}}'}]}}]}}}]]",
     {{"wf[1].a.on-v", R"(["outer"])"}}},
    {"of one that is tried again, and of a loop",
     "dag: {tasks: [{name: g, template: again}, {name: l, template: give, withItems: [1, 2]}, {name: a, depends: g && "
     "l, inline: {steps: [[{name: 'on-{{tasks.g.outputs.parameters.o}}-{{=len(fromJSON(tasks.l.outputs.result))}}', "
     "template: echo}]]}}]}",
     {{"wf.a[0].on-v-2", R"(["none"])"}}},
    {"in each attempt",
     "steps: [[{name: a, withItems: [1], inline: {retryStrategy: {limit: 1}, steps: [[{name: 'b-{{item}}-{{retries}}', "
     "template: echo}]]}}]]",
     {{"wf[0].a(0:1)(0)[0].b-1-0", R"(["none"])"}, {"wf[0].a(0:1)(1)[0].b-1-1", R"(["none"])"}}},
};

PodEnd giving_both() {
  PodEnd end = giving("o", "v");
  api::Parameter& kind = end.outputs->parameters.emplace_back();
  kind.name = "kind";
  kind.value = "echo";
  end.outputs->result = "said";
  return end;
}

TEST(Inline, NamesSeeWhatItsStepSees) {
  for (const Row& row : kNames) {
    for (const bool crashes : {false, true}) {
      SCOPED_TRACE(fmt::format("{}{}", row.rule, crashes ? ", with restarts" : ""));
      FakeWorld world(manifest(row.main));
      for (const char* node : {"wf[0].g", "wf.g(1)", "wf.l(0:1)", "wf.l(1:2)"}) world.ends[node] = giving_both();
      world.ends["wf.g(0)"] = world.ends["wf[0].a(0:1)(0)[0].b-1-0"] = failing();
      play(world, crashes);
      EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded) << world.tree();
      for (const auto& [node, args] : row.args) EXPECT_EQ(world.args(node), args) << node << world.tree();
    }
  }
}

/// What has ended by chance is not known before a restart, nor after it.
TEST(Inline, SeesOnlyWhatItComesAfter) {
  for (const bool crashes : {false, true}) {
    FakeWorld world(manifest(
        "dag: {failFast: false, tasks: [{name: quick, template: give}, {name: slow, template: give}, {name: a, "
        "depends: slow, inline: {dag: {tasks: [{name: \"on-{{=tasks.slow.status == 'Succeeded' && tasks['quick'] == "
        "nil ? 'x' : 'y'}}\", template: "
        "give}]}}}, {name: b, depends: slow, inline: {dag: {tasks: [{name: 'on-{{tasks.quick.status}}', "
        "template: give}]}}}]}"));
    world.ends["wf.slow"].runs = std::chrono::seconds(2);
    play(world, crashes);
    EXPECT_EQ(world.node("wf.a.on-x").phase, api::NodePhase::kSucceeded);
    EXPECT_EQ(world.node("wf.b").phase, api::NodePhase::kError);
    EXPECT_THAT(world.node("wf.b").message, testing::HasSubstr("tasks.quick.status"));
  }
}

/// A step beside it could not begin, so that nothing else does in its group.
TEST(Inline, KnowsItsItemWhenItsGroupHasFailed) {
  for (const bool crashes : {false, true}) {
    FakeWorld world(
        manifest("steps: [[{name: a, withItems: [p], inline: {steps: [[{name: 'x-{{item}}', template: give}], [{name: "
                 "then, inline: {container: {image: i, args: ['{{item}}']}}}]]}}, {name: b, inline: {annotations: "
                 "{workflows.argoproj.io/display-name: '!'}, container: {image: i}}}]]"));
    play(world, crashes);
    EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kFailed);
    EXPECT_EQ(world.args("wf[0].a(0:p)[1].then"), R"(["p"])") << world.tree();
  }
}

}  // namespace
}  // namespace tiphys::engine
