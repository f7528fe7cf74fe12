// Lifecycle hooks other than exit handlers: when they begin, what they see, who waits for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

using namespace std::chrono_literals;

std::string manifest(std::string_view templates, std::string_view more = "") {
  return fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main{}, "
      "templates: [{}, {{name: ok, container: {{image: i}}}}, {{name: echo, inputs: {{parameters: [{{name: m}}]}}, "
      "container: {{image: i, args: ['{{{{inputs.parameters.m}}}}']}}}}]}}}}",
      more, templates);
}

struct Row {
  const char* rule;
  const char* templates;
  std::map<std::string, PodEnd> ends;
  const char* tree;
  const char* more = "";
};

const Row kRows[] = {
    {"a step's hook runs beside it",
     "{name: main, steps: [[{name: a, template: ok, hooks: {running: {template: ok, expression: steps.a.status == "
     "'Running'}}}], [{name: b, template: ok}]]}",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => b\n"
     "wf[0] StepGroup Succeeded -> a\n"
     "wf[0].a Pod Succeeded -> a.hooks.running, [1]\n"
     "wf[0].a.hooks.running Pod Succeeded\n"
     "wf[1] StepGroup Succeeded -> b\n"
     "wf[1].b Pod Succeeded\n"},
    {"one whose expression never holds does not",
     "{name: main, steps: [[{name: a, template: ok, hooks: {bad: {template: ok, expression: steps.a.status == "
     "'Failed'}}}]]}",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a\n"
     "wf[0] StepGroup Succeeded -> a\n"
     "wf[0].a Pod Succeeded\n"},
    {"the exit handler comes after the hooks of the end",
     "{name: main, steps: [[{name: a, template: ok, onExit: ok, hooks: {done: {template: ok, expression: "
     "steps.a.status == 'Succeeded'}}}]]}",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a\n"
     "wf[0] StepGroup Succeeded -> a\n"
     "wf[0].a Pod Succeeded -> a.hooks.done, a.onExit\n"
     "wf[0].a.hooks.done Pod Succeeded\n"
     "wf[0].a.onExit Pod Succeeded\n"},
    {"an exit handler with an expression",
     "{name: main, steps: [[{name: a, template: ok, continueOn: {failed: true}, hooks: {exit: {template: ok, "
     "expression: steps.a.status == 'Failed'}}}, {name: b, template: ok, hooks: {exit: {template: ok, expression: "
     "steps.b.status == 'Failed'}}}]]}",
     {{"wf[0].a", failing()}},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a, b\n"
     "wf[0] StepGroup Succeeded -> a, b\n"
     "wf[0].a Pod Failed \"main: Error (exit code 1)\" -> a.onExit\n"
     "wf[0].b Pod Succeeded\n"
     "wf[0].a.onExit Pod Succeeded\n"},
    {"a hook that fails does not make its step fail",
     "{name: main, dag: {tasks: [{name: a, template: ok, hooks: {h: {template: ok, expression: tasks.a.status == "
     "'Succeeded'}}}, {name: b, template: ok, dependencies: [a]}]}}",
     {{"wf.a.hooks.h", failing()}},
     "Succeeded\n"
     "wf DAG Succeeded -> a => b\n"
     "wf.a Pod Succeeded -> a.hooks.h, b\n"
     "wf.a.hooks.h Pod Failed \"main: Error (exit code 1)\"\n"
     "wf.b Pod Succeeded\n"},
    {"a skipped step has no hooks",
     "{name: main, steps: [[{name: a, template: ok, when: 1 == 2, hooks: {skipped: {template: ok, expression: "
     "steps.a.status == 'Skipped'}}}]]}",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a\n"
     "wf[0] StepGroup Succeeded -> a\n"
     "wf[0].a Skipped Skipped \"when '1 == 2' evaluated false\"\n"},
    {"a skipped task has hooks",
     "{name: main, dag: {tasks: [{name: a, template: ok, when: 1 == 2, hooks: {skipped: {template: ok, expression: "
     "tasks.a.status == 'Skipped'}}}]}}",
     {},
     "Succeeded\n"
     "wf DAG Succeeded -> a => a\n"
     "wf.a Skipped Skipped \"when '1 == 2' evaluated false\" -> a.hooks.skipped\n"
     "wf.a.hooks.skipped Pod Succeeded\n"},
    {"a turn's expression may have its item",
     "{name: main, steps: [[{name: a, template: ok, withItems: [1, 2], hooks: {h: {template: ok, expression: "
     "\"'{{item}}' == '2'\"}}}]]}",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a(0:1), a(1:2)\n"
     "wf[0] StepGroup Succeeded -> a(0:1), a(1:2)\n"
     "wf[0].a(0:1) Pod Succeeded\n"
     "wf[0].a(1:2) Pod Succeeded -> a(1:2).hooks.h\n"
     "wf[0].a(1:2).hooks.h Pod Succeeded\n"},
    {"a turn's hook may look at the other turns of its group",
     "{name: main, steps: [[{name: a, template: ok, withItems: [p, q], hooks: {h: {template: ok, expression: "
     "\"steps['a(0:p)'].status == 'Succeeded' && '{{item}}' != 'p'\"}}}, {name: b, template: ok, hooks: {h: {template: "
     "ok, expression: \"steps['a(1:q)'].status == 'Succeeded'\"}}}]]}",
     {{"wf[0].a(1:q)", {.runs = 5s}}, {"wf[0].b", {.runs = 9s}}},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a(0:p), a(1:q), b\n"
     "wf[0] StepGroup Succeeded -> a(0:p), a(1:q), b\n"
     "wf[0].a(0:p) Pod Succeeded\n"
     "wf[0].a(1:q) Pod Succeeded -> a(1:q).hooks.h\n"
     "wf[0].b Pod Succeeded -> b.hooks.h\n"
     "wf[0].a(1:q).hooks.h Pod Succeeded\n"
     "wf[0].b.hooks.h Pod Succeeded\n"},
    {"an expression may have tags",
     "{name: main, inputs: {parameters: [{name: p, value: x}]}, steps: [[{name: a, template: ok, hooks: {h: {template: "
     "ok, expression: \"'{{inputs.parameters.p}}' == 'x'\"}}}]]}",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a\n"
     "wf[0] StepGroup Succeeded -> a\n"
     "wf[0].a Pod Succeeded -> a.hooks.h\n"
     "wf[0].a.hooks.h Pod Succeeded\n"},
    {"a loop of a dag has the hooks of its group",
     "{name: main, dag: {tasks: [{name: a, template: ok, withItems: [1, 2], hooks: {h: {template: ok, expression: "
     "tasks.a.status == 'Succeeded'}}}, {name: b, template: ok, dependencies: [a]}]}}",
     {},
     "Succeeded\n"
     "wf DAG Succeeded -> a => b\n"
     "wf.a TaskGroup Succeeded -> a(0:1), a(1:2), a.hooks.h\n"
     "wf.a(0:1) Pod Succeeded -> b\n"
     "wf.a(1:2) Pod Succeeded -> b\n"
     "wf.a.hooks.h Pod Succeeded -> b\n"
     "wf.b Pod Succeeded\n"},
    {"a hook may look at other steps of its group",
     "{name: main, steps: [[{name: a, template: ok, continueOn: {failed: true}}, {name: b, template: ok, hooks: {h: "
     "{template: ok, expression: steps.a.status == 'Failed'}}}]]}",
     {{"wf[0].a", failing()}, {"wf[0].b", {.runs = 5s}}},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a, b\n"
     "wf[0] StepGroup Succeeded -> a, b\n"
     "wf[0].a Pod Failed \"main: Error (exit code 1)\"\n"
     "wf[0].b Pod Succeeded -> b.hooks.h\n"
     "wf[0].b.hooks.h Pod Succeeded\n"},
    {"an expression that cannot be evaluated makes the group err",
     "{name: main, steps: [[{name: a, template: ok, hooks: {h: {template: ok, expression: nobody.status == 'x'}}}]]}",
     {},
     "Failed unknown name nobody (1:1)\n"
     " | nobody.status == 'x'\n"
     " | ^\n"
     "wf Steps Failed \"unknown name nobody (1:1)\n"
     " | nobody.status == 'x'\n"
     " | ^\" -> [0] => a\n"
     "wf[0] StepGroup Error \"unknown name nobody (1:1)\n"
     " | nobody.status == 'x'\n"
     " | ^\" -> a\n"
     "wf[0].a Pod Succeeded\n"},
    {"a retried task's status is not its attempt's",
     "{name: main, dag: {tasks: [{name: a, template: again, hooks: {failed: {template: ok, expression: tasks.a.status "
     "== 'Failed'}}}]}}, {name: again, retryStrategy: {limit: 1}, container: {image: i}}",
     {{"wf.a(0)", failing()}},
     "Succeeded\n"
     "wf DAG Succeeded -> a => a(1)\n"
     "wf.a Retry Succeeded -> a(0), a(1)\n"
     "wf.a(0) Pod Failed \"main: Error (exit code 1)\"\n"
     "wf.a(1) Pod Succeeded\n"},
    {"the workflow's hook runs beside it, and its exit handler after both",
     "{name: main, container: {image: i}}",
     {{"wf.hooks.running", {.runs = 3s}}},
     "Succeeded\n"
     "wf Pod Succeeded -> wf.hooks.running\n"
     "wf.hooks.running Pod Succeeded\n"
     "wf.onExit Pod Succeeded\n",
     ", onExit: ok, hooks: {running: {template: ok, expression: workflow.status == 'Running'}}"},
    {"a workflow's hook of the end",
     "{name: main, container: {image: i}}",
     {{"wf", failing()}},
     "Failed main: Error (exit code 1)\n"
     "wf Pod Failed \"main: Error (exit code 1)\" -> wf.hooks.failed\n"
     "wf.hooks.failed Pod Succeeded\n",
     ", hooks: {failed: {template: ok, expression: workflow.status == 'Failed'}, fine: {template: ok, expression: "
     "workflow.status == 'Succeeded'}}"},
    {"a workflow's hook that cannot be evaluated",
     "{name: main, container: {image: i}}",
     {},
     "Error unknown name nobody (1:1)\n"
     " | nobody\n"
     " | ^\n"
     "wf Pod Error \"unknown name nobody (1:1)\n"
     " | nobody\n"
     " | ^\"\n",
     ", hooks: {h: {template: ok, expression: nobody}}"},
};

TEST(Hooks, Rules) {
  for (const Row& row : kRows) {
    FakeWorld world(manifest(row.templates, row.more));
    world.ends = row.ends;
    world.play();
    EXPECT_EQ(world.tree(), row.tree) << row.rule;
  }
}

TEST(Hooks, SurviveCrashes) {
  for (const Row& row : kRows) {
    FakeWorld world(manifest(row.templates, row.more));
    world.ends = row.ends;
    world.apply(Started{});
    world.crash();
    while (world.step()) world.crash();
    EXPECT_EQ(world.tree(), row.tree) << row.rule;
  }
}

TEST(Hooks, DependentsAndGroupsWaitForThem) {
  FakeWorld world(
      manifest("{name: main, dag: {tasks: [{name: a, template: ok, hooks: {h: {template: ok, expression: "
               "tasks.a.status == 'Running'}}}, {name: b, template: ok, dependencies: [a]}]}}"));
  world.ends = {{"wf.a.hooks.h", {.runs = 7s}}};
  world.play();
  EXPECT_EQ(world.node("wf.b").started_at, kStart + 7s);
  EXPECT_TRUE(world.node("wf.a.hooks.h").hooked);
  EXPECT_FALSE(world.created[1].on_exit) << "it stops with the workflow";
}

TEST(Hooks, ArgumentsSeeTheStep) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: give, hooks: {h: {template: echo, expression: "
               "\"steps.a.outputs.parameters.x == '7'\", arguments: {parameters: [{name: m, value: "
               "'{{steps.a.outputs.parameters.x}} {{steps.a.status}}'}]}}}}]]}, {name: give, outputs: {parameters: "
               "[{name: x, valueFrom: {path: /x}}]}, container: {image: i}}"));
  world.ends = {{"wf[0].a", giving("x", "7")}};
  world.play();
  EXPECT_THAT(world.node("wf[0]").message, testing::HasSubstr("cannot fetch")) << "there are no outputs while it runs";
  FakeWorld careful(
      manifest("{name: main, steps: [[{name: a, template: give, hooks: {h: {template: echo, expression: "
               "\"steps.a.outputs?.parameters?.x == '7'\", arguments: {parameters: [{name: m, value: "
               "'{{steps.a.outputs.parameters.x}} {{steps.a.status}}'}]}}}}]]}, {name: give, outputs: {parameters: "
               "[{name: x, valueFrom: {path: /x}}]}, container: {image: i}}"));
  careful.ends = {{"wf[0].a", giving("x", "7")}};
  careful.play();
  EXPECT_EQ(careful.args("wf[0].a.hooks.h"), "[\"7 Succeeded\"]");
}

TEST(Hooks, SeeThatAShortPodRan) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: ok, hooks: {running: {template: ok, expression: "
               "steps.a.status == 'Running'}}}]]}"));
  world.apply(Started{});
  world.due.clear();
  PodChanged ended = pod_changed(node_id("wf", "wf[0].a"), PodChanged::Phase::kSucceeded);
  ended.started_at = ended.finished_at = kStart;
  world.apply(ended);
  while (world.step()) {
  }
  EXPECT_EQ(world.node("wf[0].a.hooks.running").phase, api::NodePhase::kSucceeded);
}

TEST(Hooks, ExitHandlersWithoutArgumentsGetTheWorkflows) {
  const char* arguments = ", arguments: {parameters: [{name: m, value: of the workflow}]}, onExit: echo";
  FakeWorld world(manifest("{name: main, steps: [[{name: a, template: ok, onExit: echo}]]}", arguments));
  world.play();
  EXPECT_EQ(world.args("wf[0].a.onExit"), "[\"of the workflow\"]");
  EXPECT_EQ(world.args("wf.onExit"), "[\"of the workflow\"]");
}

/// The templates of workflow's hooks know how it stands, as they begin and in their later steps.
TEST(Hooks, OfTheWorkflowKnowHowItWent) {
  const char* templates =
      "{name: main, container: {image: i}}, {name: tell, inputs: {parameters: [{name: m}]}, steps: [[{name: one, "
      "template: say, arguments: {parameters: [{name: m, value: '{{inputs.parameters.m}}'}]}}], [{name: two, template: "
      "say, arguments: {parameters: [{name: m, value: '{{workflow.status}}'}]}}]]}, {name: say, inputs: {parameters: "
      "[{name: m}]}, container: {image: i, args: ['{{inputs.parameters.m}}', '{{workflow.status}}', "
      "'{{=len(workflow.failures) > 6}}']}}";
  const char* hooks =
      ", hooks: {begun: {template: say, expression: workflow.status == 'Running', arguments: {parameters: [{name: m, "
      "value: '{{workflow.status}} {{workflow.failures}}'}]}}, failed: {template: tell, expression: workflow.status == "
      "'Failed', arguments: {parameters: [{name: m, value: '{{workflow.status}}'}]}}}";
  for (const bool crashes : {false, true}) {
    FakeWorld world(manifest(templates, hooks));
    world.ends = {{"wf", failing()}};
    world.apply(Started{});
    while (world.step()) {
      if (crashes) world.crash();
    }
    EXPECT_EQ(world.args("wf.hooks.begun"), R"(["Running \"null\"","Running","false"])");
    EXPECT_EQ(world.args("wf.hooks.failed[0].one"), R"(["Failed","Failed","true"])");
    EXPECT_EQ(world.args("wf.hooks.failed[1].two"), R"(["Failed","Failed","true"])");
  }
}

TEST(Hooks, DoNotBeginWhenTheWorkflowIsStopped) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: ok, onExit: ok, hooks: {failed: {template: ok, expression: "
               "steps.a.status == 'Failed'}}}]]}"));
  world.apply(Started{});
  world.apply(ShutdownRequested{"Stop", ""});
  while (world.step()) {
  }
  EXPECT_EQ(world.node("wf[0].a.hooks.failed").message, "workflow shutdown with strategy: Stop");
  EXPECT_EQ(world.node("wf[0].a.onExit").phase, api::NodePhase::kSucceeded);
}

}  // namespace
}  // namespace tiphys::engine
