// Names of steps, tasks and what else has tags in a steps or dag template: its nodes have the names that these come to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string manifest(std::string_view templates, std::string_view more = "") {
  return fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main, "
      "arguments: {{parameters: [{{name: d, value: x}}, {{name: kind, value: echo}}]}}{}, templates: [{}, "
      "{{name: ok, container: {{image: i}}}}, "
      "{{name: give, outputs: {{parameters: [{{name: o, valueFrom: {{path: /o}}}}]}}, container: {{image: i}}}}, "
      "{{name: echo, inputs: {{parameters: [{{name: m, default: none}}]}}, container: {{image: i, args: "
      "['{{{{inputs.parameters.m}}}}']}}}}]}}}}",
      more, templates);
}

struct Row {
  const char* rule;
  const char* templates;
  const char* tree;
  std::map<std::string, std::string> args = {};  ///< by node
  std::map<std::string, PodEnd> ends = {};
};

const Row kRows[] = {
    {"a step",
     "{name: main, inputs: {parameters: [{name: d}]}, steps: [[{name: 'run-{{inputs.parameters.d}}', template: ok}]]}",
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => run-x\n"
     "wf[0] StepGroup Succeeded -> run-x\n"
     "wf[0].run-x Pod Succeeded\n"},
    {"those after it know it by its name, or by the same tag",
     "{name: main, inputs: {parameters: [{name: d}]}, steps: [[{name: 'run-{{inputs.parameters.d}}', template: give}], "
     "[{name: a, template: echo, arguments: {parameters: [{name: m, value: '{{steps.run-x.outputs.parameters.o}} "
     "{{steps.run-x.outputs.result}}'}]}}, {name: b, template: echo, arguments: {parameters: [{name: m, value: "
     "'{{steps.run-{{inputs.parameters.d}}.outputs.parameters.o}}'}]}}, {name: c, template: ok, when: "
     "'{{steps.run-x.status}} == Failed'}]]}",
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a, b, c\n"
     "wf[0] StepGroup Succeeded -> run-x\n"
     "wf[0].run-x Pod Succeeded -> [1]\n"
     "wf[1] StepGroup Succeeded -> a, b, c\n"
     "wf[1].a Pod Succeeded\n"
     "wf[1].b Pod Succeeded\n"
     "wf[1].c Skipped Skipped \"when 'Succeeded == Failed' evaluated false\"\n",
     {{"wf[1].a", "[\"v said\"]"}, {"wf[1].b", "[\"v\"]"}},
     {{"wf[0].run-x",
       [] {
         PodEnd end = giving("o", "v");
         end.outputs->result = "said";
         return end;
       }()}}},
    {"a task, what depends on it, and the target",
     "{name: main, dag: {target: 'b-{{workflow.parameters.d}} c', tasks: [{name: 'a-{{workflow.parameters.d}}', "
     "template: ok}, {name: 'b-{{workflow.parameters.d}}', template: ok, dependencies: ['a-{{workflow.parameters.d}}', "
     "a-x]}, {name: c, template: ok, dependencies: [a-x]}, {name: d, template: ok}]}}",
     "Succeeded\n"
     "wf DAG Succeeded -> a-x => b-x, c\n"
     "wf.a-x Pod Succeeded -> b-x, c\n"
     "wf.b-x Pod Succeeded\n"
     "wf.c Pod Succeeded\n"},
    {"what a task depends on",
     "{name: main, dag: {tasks: [{name: 'a-{{workflow.parameters.d}}', template: ok}, {name: b, template: ok, depends: "
     "'a-{{workflow.parameters.d}}.Failed'}, {name: c, template: ok, depends: 'a-x && b.Omitted'}]}}",
     "Succeeded\n"
     "wf DAG Succeeded -> a-x => c\n"
     "wf.a-x Pod Succeeded -> b, c\n"
     "wf.b Skipped Omitted \"omitted: depends condition not met\" -> c\n"
     "wf.c Pod Succeeded\n"},
    {"a loop",
     "{name: main, inputs: {parameters: [{name: d}]}, steps: [[{name: 'run-{{inputs.parameters.d}}', template: give, "
     "withItems: [p, q]}], [{name: a, template: echo, arguments: {parameters: [{name: m, value: "
     "'{{steps.run-x.outputs.parameters.o}}'}]}}]]}",
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a\n"
     "wf[0] StepGroup Succeeded -> run-x(0:p), run-x(1:q)\n"
     "wf[0].run-x(0:p) Pod Succeeded -> [1]\n"
     "wf[0].run-x(1:q) Pod Succeeded -> [1]\n"
     "wf[1] StepGroup Succeeded -> a\n"
     "wf[1].a Pod Succeeded\n",
     {{"wf[1].a", "[\"[\\\"1\\\",\\\"2\\\"]\"]"}},
     {{"wf[0].run-x(0:p)", giving("o", "1")}, {"wf[0].run-x(1:q)", giving("o", "2")}}},
    {"a loop of templates with such names",
     "{name: main, steps: [[{name: a, template: inner, withItems: [p, q], arguments: {parameters: [{name: w, value: "
     "'{{item}}'}]}}]]}, {name: inner, inputs: {parameters: [{name: w}]}, dag: {tasks: [{name: "
     "'on-{{inputs.parameters.w}}', template: ok}]}}",
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => on-p, on-q\n"
     "wf[0] StepGroup Succeeded -> a(0:p), a(1:q)\n"
     "wf[0].a(0:p) DAG Succeeded -> on-p => on-p\n"
     "wf[0].a(0:p).on-p Pod Succeeded\n"
     "wf[0].a(1:q) DAG Succeeded -> on-q => on-q\n"
     "wf[0].a(1:q).on-q Pod Succeeded\n"},
    {"names with dots, brackets and spaces",
     "{name: main, inputs: {parameters: [{name: v, value: 'v1.2 (b)'}]}, steps: [[{name: "
     "'run-{{inputs.parameters.v}}', template: give, hooks: {exit: {template: ok}}}, {name: run-v1, template: ok}], "
     "[{name: a, template: echo, arguments: {parameters: [{name: m, value: '{{steps.run-v1.2 "
     "(b).outputs.parameters.o}}'}]}}]]}",
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a\n"
     "wf[0] StepGroup Succeeded -> run-v1.2 (b), run-v1\n"
     "wf[0].run-v1.2 (b) Pod Succeeded -> run-v1.2 (b).onExit, [1]\n"
     "wf[0].run-v1 Pod Succeeded -> [1]\n"
     "wf[0].run-v1.2 (b).onExit Pod Succeeded\n"
     "wf[1] StepGroup Succeeded -> a\n"
     "wf[1].a Pod Succeeded\n",
     {{"wf[1].a", "[\"v\"]"}},
     {{"wf[0].run-v1.2 (b)", giving("o", "v")}}},
    {"each attempt of a template that is tried again",
     "{name: main, retryStrategy: {limit: 1}, steps: [[{name: 'try-{{retries}}', template: ok}]]}",
     "Succeeded\n"
     "wf Retry Succeeded -> wf(0), wf(1)\n"
     "wf(0) Steps Failed \"child 'wf(0)[0].try-0' failed\" -> [0] => try-0\n"
     "wf(0)[0] StepGroup Failed \"child 'wf(0)[0].try-0' failed\" -> try-0\n"
     "wf(0)[0].try-0 Pod Failed \"main: Error (exit code 1)\"\n"
     "wf(1) Steps Succeeded -> [0] => try-1\n"
     "wf(1)[0] StepGroup Succeeded -> try-1\n"
     "wf(1)[0].try-1 Pod Succeeded\n",
     {},
     {{"wf(0)[0].try-0", failing()}}},
    {"the template that a step runs, hooks, arguments and outputs",
     "{name: main, inputs: {parameters: [{name: p, value: m}]}, outputs: {parameters: [{name: "
     "'o-{{inputs.parameters.p}}', valueFrom: {parameter: '{{steps.a.status}}'}}]}, steps: [[{name: a, template: "
     "'{{workflow.parameters.kind}}', arguments: {parameters: [{name: '{{inputs.parameters.p}}', value: hi}]}, hooks: "
     "{'{{inputs.parameters.p}}': {template: '{{workflow.parameters.kind}}', expression: steps.a.status == "
     "'Succeeded'}}}]]}",
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a\n"
     "wf[0] StepGroup Succeeded -> a\n"
     "wf[0].a Pod Succeeded -> a.hooks.m\n"
     "wf[0].a.hooks.m Pod Succeeded\n",
     {{"wf[0].a", "[\"hi\"]"}, {"wf[0].a.hooks.m", "[\"none\"]"}}},
};

void play(FakeWorld& world, bool crashes) {
  world.apply(Started{});
  do {
    if (crashes && !world.run->status().finished()) world.crash();
  } while (world.step());
}

TEST(TaggedNames, AreThoseOfTheNodes) {
  for (const Row& row : kRows) {
    for (const bool crashes : {false, true}) {
      SCOPED_TRACE(fmt::format("{}{}", row.rule, crashes ? ", with restarts" : ""));
      FakeWorld world(manifest(row.templates));
      world.ends = row.ends;
      play(world, crashes);
      EXPECT_EQ(world.tree(), row.tree);
      for (const auto& [node, args] : row.args) EXPECT_EQ(world.args(node), args) << node;
    }
  }
}

TEST(TaggedNames, GiveDisplayNamesAndOutputs) {
  FakeWorld world(manifest(kRows[8].templates));
  play(world, false);
  EXPECT_EQ(world.node("wf").outputs->parameters.front().name, "o-m");
  EXPECT_EQ(world.node("wf[0].a").template_name, "echo");
  FakeWorld other(manifest(kRows[0].templates));
  play(other, false);
  EXPECT_EQ(other.node("wf[0].run-x").display_name, "run-x");
  EXPECT_EQ(other.node("wf[0].run-x").id, node_id("wf", "wf[0].run-x"));
}

TEST(TaggedNames, ThatAreWrongEndTheirNode) {
  struct Case {
    const char* members;
    const char* message;
  };
  for (const auto& [members, message] : {
           Case{"steps: [[{name: '{{workflow.parameters.d}}', template: ok}, {name: x, template: ok}]]",
                "templates.main.steps.x name is not unique"},
           Case{"steps: [[{name: '{{=\"\"}}', template: ok}]]", "templates.main.steps[0].name is required"},
           Case{"dag: {tasks: [{name: a, template: ok, dependencies: ['b-{{workflow.parameters.d}}']}, {name: b-y, "
                "template: ok}]}",
                "templates.main.tasks.a dependency 'b-x' not defined"},
           Case{"dag: {tasks: [{name: x, template: ok, dependencies: ['{{workflow.parameters.d}}']}]}",
                "templates.main.tasks dependency cycle detected"},
           Case{"dag: {tasks: [{name: a, template: ok}, {name: b, template: ok, depends: 'a && "
                "{{workflow.parameters.d}}{{=\" \"}}('}]}",
                "templates.main.tasks.b "},
       }) {
    for (const bool crashes : {false, true}) {
      FakeWorld world(manifest(fmt::format("{{name: main, {}}}", members)));
      play(world, crashes);
      EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kError);
      EXPECT_THAT(world.node("wf").message, testing::StartsWith(message));
    }
  }
}

/// A node fails; a user retries the run with another `d`, and it goes well.
void retry_with_another_d(FakeWorld& world, const std::string& text, const std::string& failing_node) {
  world.ends = {{failing_node, failing()}};
  play(world, false);
  world.ends.clear();
  world.manifest = workflow_of(text);
  world.manifest.spec.arguments.parameters[0].value = "y";
  world.go_on({.other_parameters = true});
  while (world.step()) {
  }
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
}

/// What has begun keeps its name when a user's retry gives other parameters, and with it the inputs that it has of
/// them.
TEST(TaggedNames, StayWhenARetryHasOtherParameters) {
  const std::string text = manifest(
      "{name: main, dag: {tasks: [{name: a, template: inner, arguments: {parameters: [{name: w, value: "
      "'{{workflow.parameters.d}}'}]}}]}}, {name: inner, inputs: {parameters: [{name: w}]}, dag: {tasks: [{name: "
      "'on-{{inputs.parameters.w}}', template: ok}, {name: b, template: echo, dependencies: "
      "['on-{{inputs.parameters.w}}'], arguments: {parameters: [{name: m, value: '{{inputs.parameters.w}}'}]}}]}}");
  FakeWorld world(text);
  retry_with_another_d(world, text, "wf.a.b");
  EXPECT_EQ(world.node("wf.a.on-x").phase, api::NodePhase::kSucceeded);
  EXPECT_EQ(world.args("wf.a.b"), "[\"x\"]");
}

/// What has names that none of its template has any more is given up.
TEST(TaggedNames, ThatComeToOthersLeaveNothingOpen) {
  for (const auto& [loop, turn] : {std::pair{"", ""}, {", withItems: [1]", "(0:1)"}}) {
    const std::string text = manifest(
        fmt::format("{{name: main, dag: {{tasks: [{{name: 'a-{{{{workflow.parameters.d}}}}', template: inner{}}}]}}}}, "
                    "{{name: inner, dag: {{tasks: [{{name: b, template: ok}}]}}}}",
                    loop));
    FakeWorld world(text);
    retry_with_another_d(world, text, fmt::format("wf.a-x{}.b", turn));
    EXPECT_EQ(world.node(fmt::format("wf.a-y{}.b", turn)).phase, api::NodePhase::kSucceeded);
    if (*turn == 0) {
      EXPECT_EQ(world.node("wf.a-x").phase, api::NodePhase::kOmitted);
    }
    for (const auto& [id, row] : world.rows) EXPECT_TRUE(api::fulfilled(row.phase)) << row.name;
  }
}

// ---- Hooks that name other objects' templates by tags ----

constexpr std::string_view kShelf = R"(
kind: WorkflowTemplate
metadata: {name: shelf}
spec:
  templates:
  - {name: bye, inputs: {parameters: [{name: m, default: bye}]}, container: {image: i, args: ["{{inputs.parameters.m}}"]}}
  - name: group
    inputs: {parameters: [{name: which}]}
    steps: [[{name: own, template: "{{inputs.parameters.which}}"}]]
)";

TEST(TaggedNames, OfHooksTemplatesAreLookedForBeforeWhatIsAroundBegins) {
  struct Case {
    const char* rule;
    const char* templates;
    const char* hook;
    const char* before;  ///< of the node that waits for the template
  };
  for (const auto& [rule, templates, hook, before] : {
           Case{"of a step's exit handler",
                "{name: main, inputs: {parameters: [{name: s, value: shelf}]}, steps: [[{name: a, template: ok, hooks: "
                "{exit: {templateRef: {name: '{{inputs.parameters.s}}', template: bye}, arguments: {parameters: "
                "[{name: m, value: so}]}}}}]]}",
                "wf[0].a.onExit", "wf"},
           Case{"of a task's hook",
                "{name: main, inputs: {parameters: [{name: s, value: shelf}]}, dag: {tasks: [{name: a, template: ok, "
                "hooks: {h: {expression: tasks.a.status == 'Running', templateRef: {name: '{{inputs.parameters.s}}', "
                "template: bye}, arguments: {parameters: [{name: m, value: so}]}}}}]}}",
                "wf.a.hooks.h", "wf"},
           Case{"of a turn's",
                "{name: main, steps: [[{name: a, template: ok, withItems: [shelf], hooks: {exit: {templateRef: {name: "
                "'{{item}}', template: bye}, arguments: {parameters: [{name: m, value: so}]}}}}]]}",
                "wf[0].a(0:shelf).onExit", "wf[0]"},
       }) {
    for (const bool crashes : {false, true}) {
      SCOPED_TRACE(fmt::format("{}{}", rule, crashes ? ", with restarts" : ""));
      FakeWorld world(manifest(templates));
      world.put(kShelf);
      play(world, crashes);
      EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
      EXPECT_EQ(world.args(hook), "[\"so\"]");
      EXPECT_EQ(world.node(hook).template_ref->key(), "namespaced/shelf/bye");
      EXPECT_EQ(world.node(before).phase, api::NodePhase::kSucceeded);
    }
  }
}

TEST(TaggedNames, OfTheWorkflowsHooksTemplatesAreLookedForBeforeItBegins) {
  for (const bool crashes : {false, true}) {
    FakeWorld world(
        manifest("{name: main, container: {image: i}}",
                 ", hooks: {exit: {templateRef: {name: 'sh{{=\"elf\"}}', template: bye}}, late: {expression: "
                 "workflow.status == 'Running', templateRef: {name: shelf, template: '{{=\"bye\"}}'}}}"));
    world.put(kShelf);
    play(world, crashes);
    EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
    EXPECT_EQ(world.node("wf.onExit").template_ref->key(), "namespaced/shelf/bye");
    EXPECT_EQ(world.node("wf.hooks.late").phase, api::NodePhase::kSucceeded);
  }
}

TEST(TaggedNames, OfTemplatesBesideTheirOwnAreLookedFor) {
  for (const bool crashes : {false, true}) {
    FakeWorld world(
        manifest("{name: main, steps: [[{name: a, templateRef: {name: shelf, template: '{{=\"group\"}}'}, arguments: "
                 "{parameters: [{name: which, value: bye}]}}]]}"));
    world.put(kShelf);
    play(world, crashes);
    EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
    EXPECT_EQ(world.args("wf[0].a[0].own"), "[\"bye\"]");
  }
}

TEST(TaggedNames, OfAHooksTemplateThatIsNotThereAreAnErrorOfTheHook) {
  for (const bool crashes : {false, true}) {
    FakeWorld world(
        manifest("{name: main, steps: [[{name: a, template: ok, hooks: {exit: {templateRef: {name: "
                 "'{{workflow.name}}', template: bye}}}}]]}"));
    play(world, crashes);
    EXPECT_EQ(world.node("wf[0].a").phase, api::NodePhase::kSucceeded);
    EXPECT_THAT(world.node("wf[0].a.onExit").message, HasSubstr("template bye not found in workflow template wf"));
  }
}

}  // namespace
}  // namespace tiphys::engine
