// The rules of the engine, one row each: a manifest, how its pods end, and the nodes that come of it.
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

/// Manifests share these templates: `echo` has one input, `ok` none.
std::string with_leaves(std::string_view spec) {
  return std::string(R"(
metadata: {name: wf}
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: main
)") + std::string(spec) +
         R"(
  - name: ok
    container: {image: busybox, command: [echo], args: [hi]}
  - name: echo
    inputs: {parameters: [{name: message}]}
    container: {image: busybox, command: [echo], args: ["{{inputs.parameters.message}}"]}
)";
}

struct Row {
  std::string rule;
  std::string spec;  ///< with_leaves() adds the leaves
  std::map<std::string, PodEnd> ends;
  std::string tree;
};

class Rules : public testing::TestWithParam<Row> {};

TEST_P(Rules, GiveTheNodes) {
  FakeWorld world(with_leaves(GetParam().spec));
  world.ends = GetParam().ends;
  world.play();
  EXPECT_EQ(world.tree(), GetParam().tree);
}

/// The same tree comes of a run that is restored after every event.
TEST_P(Rules, SurviveCrashes) {
  FakeWorld world(with_leaves(GetParam().spec));
  world.ends = GetParam().ends;
  world.apply(Started{});
  do {
    world.crash();
  } while (world.step());
  world.order.clear();
  FakeWorld straight(with_leaves(GetParam().spec));
  straight.ends = GetParam().ends;
  straight.play();
  world.order = straight.order;
  EXPECT_EQ(world.tree(), GetParam().tree);
}

std::string row_name(const testing::TestParamInfo<Row>& info) {
  std::string name;
  for (const char c : info.param.rule) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

const std::vector<Row> kSteps = {
    {"one container",
     R"(
  templates:
  - name: main
    container: {image: busybox, command: [echo]}
)",
     {},
     "Succeeded\n"
     "wf Pod Succeeded\n"},
    {"groups run one after the other",
     R"(
  templates:
  - name: main
    steps:
    - - {name: a, template: ok}
      - {name: b, template: ok}
    - - {name: c, template: ok}
)",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => c\n"
     "wf[0] StepGroup Succeeded -> a, b\n"
     "wf[0].a Pod Succeeded -> [1]\n"
     "wf[0].b Pod Succeeded -> [1]\n"
     "wf[1] StepGroup Succeeded -> c\n"
     "wf[1].c Pod Succeeded\n"},
    {"a failed step fails its group after all members have ended",
     R"(
  templates:
  - name: main
    steps:
    - - {name: a, template: ok}
      - {name: b, template: ok}
    - - {name: c, template: ok}
)",
     {{"wf[0].a", failing()}},
     "Failed child 'wf-3986212215' failed\n"
     "wf Steps Failed \"child 'wf[0].a' failed\" -> [0] => a, b\n"
     "wf[0] StepGroup Failed \"child 'wf[0].a' failed\" -> a, b\n"
     "wf[0].a Pod Failed \"main: Error (exit code 1)\"\n"
     "wf[0].b Pod Succeeded\n"},
    {"an errored step makes the steps node Failed",
     R"(
  templates:
  - name: main
    steps:
    - - {name: a, template: ok}
)",
     {{"wf[0].a", erring()}},
     "Failed child 'wf-3986212215' failed\n"
     "wf Steps Failed \"child 'wf[0].a' failed\" -> [0] => a\n"
     "wf[0] StepGroup Failed \"child 'wf[0].a' failed\" -> a\n"
     "wf[0].a Pod Error \"pod lost\"\n"},
    {"continueOn failed goes on",
     R"(
  templates:
  - name: main
    steps:
    - - {name: a, template: ok, continueOn: {failed: true}}
    - - {name: b, template: ok}
)",
     {{"wf[0].a", failing()}},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => b\n"
     "wf[0] StepGroup Succeeded -> a\n"
     "wf[0].a Pod Failed \"main: Error (exit code 1)\" -> [1]\n"
     "wf[1] StepGroup Succeeded -> b\n"
     "wf[1].b Pod Succeeded\n"},
    {"when chooses by a result",
     R"(
  templates:
  - name: main
    steps:
    - - {name: flip, template: ok}
    - - {name: heads, template: ok, when: "{{steps.flip.outputs.result}} == heads"}
      - {name: tails, template: ok, when: "{{steps.flip.outputs.result}} == tails"}
)",
     {{"wf[0].flip", printing("heads")}},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => heads, tails\n"
     "wf[0] StepGroup Succeeded -> flip\n"
     "wf[0].flip Pod Succeeded -> [1]\n"
     "wf[1] StepGroup Succeeded -> heads, tails\n"
     "wf[1].heads Pod Succeeded\n"
     "wf[1].tails Skipped Skipped \"when 'heads == tails' evaluated false\"\n"},
    {"nested steps connect through their outbound nodes",
     R"(
  templates:
  - name: main
    steps:
    - - {name: a, template: inner}
    - - {name: b, template: ok}
  - name: inner
    steps:
    - - {name: v, template: ok}
      - {name: w, template: ok}
)",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => b\n"
     "wf[0] StepGroup Succeeded -> a\n"
     "wf[0].a Steps Succeeded -> [0] => v, w\n"
     "wf[0].a[0] StepGroup Succeeded -> v, w\n"
     "wf[0].a[0].v Pod Succeeded -> [1]\n"
     "wf[0].a[0].w Pod Succeeded -> [1]\n"
     "wf[1] StepGroup Succeeded -> b\n"
     "wf[1].b Pod Succeeded\n"},
    {"a loop has a node for each item",
     R"(
  templates:
  - name: main
    steps:
    - - {name: a, template: echo, withItems: [x, '(w)', 3, {k: v, b: 2}, [1, z]], arguments: {parameters: [{name: message, value: "{{item}}"}]}}
    - - {name: b, template: ok}
)",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => b\n"
     "wf[0] StepGroup Succeeded -> a(0:x), a(1:w), a(2:3), a(3:b:2,k:v), a(4:[1 z])\n"
     "wf[0].a(0:x) Pod Succeeded -> [1]\n"
     "wf[0].a(1:w) Pod Succeeded -> [1]\n"
     "wf[0].a(2:3) Pod Succeeded -> [1]\n"
     "wf[0].a(3:b:2,k:v) Pod Succeeded -> [1]\n"
     "wf[0].a(4:[1 z]) Pod Succeeded -> [1]\n"
     "wf[1] StepGroup Succeeded -> b\n"
     "wf[1].b Pod Succeeded\n"},
    {"an empty list is skipped",
     R"(
  templates:
  - name: main
    steps:
    - - {name: a, template: echo, withParam: "[]", arguments: {parameters: [{name: message, value: "{{item}}"}]}}
    - - {name: b, template: ok}
)",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => b\n"
     "wf[0] StepGroup Succeeded -> a\n"
     "wf[0].a Skipped Skipped \"Skipped, empty params\" -> [1]\n"
     "wf[1] StepGroup Succeeded -> b\n"
     "wf[1].b Pod Succeeded\n"},
    {"a missing argument errs the group and fails the steps",
     R"(
  templates:
  - name: main
    steps:
    - - {name: a, template: echo}
)",
     {},
     "Failed step group deemed errored due to child wf[0].a error: inputs.parameters.message was not supplied\n"
     "wf Steps Failed \"step group deemed errored due to child wf[0].a error: inputs.parameters.message was not "
     "supplied\" -> [0] => a\n"
     "wf[0] StepGroup Error \"step group deemed errored due to child wf[0].a error: inputs.parameters.message was "
     "not supplied\" -> a\n"
     "wf[0].a Skipped Error \"inputs.parameters.message was not supplied\"\n"},
    {"failFast fails the template",
     R"(
  templates:
  - name: main
    failFast: true
    steps:
    - - {name: a, template: ok}
)",
     {{"wf[0].a", failing()}},
     "Failed template has failed or errored children and failFast enabled\n"
     "wf Steps Failed \"template has failed or errored children and failFast enabled\" -> [0]\n"
     "wf[0] StepGroup Failed \"template has failed or errored children and failFast enabled\" -> a\n"
     "wf[0].a Pod Failed \"main: Error (exit code 1)\"\n"},
};

const std::vector<Row> kLoops = {
    {"numbers of withParam keep their digits",
     R"(
  templates:
  - name: main
    steps:
    - - name: a
        template: ok
        withParam: '[1.0, 1e-05, {"b": 2.50, "a": [1.0, "x"]}, [1.0, {"k": 1E3}], "1.0", null]'
)",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => a(0:1.0), a(1:1e-05), a(2:a:[1.0,\"x\"],b:2.50), a(3:[1.0 {\"k\":1E3}]), a(4:1.0), "
     "a(5:[])\n"
     "wf[0] StepGroup Succeeded -> a(0:1.0), a(1:1e-05), a(2:a:[1.0,\"x\"],b:2.50), a(3:[1.0 {\"k\":1E3}]), a(4:1.0), "
     "a(5:[])\n"
     "wf[0].a(0:1.0) Pod Succeeded\n"
     "wf[0].a(1:1e-05) Pod Succeeded\n"
     "wf[0].a(2:a:[1.0,\"x\"],b:2.50) Pod Succeeded\n"
     "wf[0].a(3:[1.0 {\"k\":1E3}]) Pod Succeeded\n"
     "wf[0].a(4:1.0) Pod Succeeded\n"
     "wf[0].a(5:[]) Pod Succeeded\n"},
    {"when one turn cannot be none begins",
     R"(
  templates:
  - name: main
    steps:
    - - name: a
        template: echo
        arguments: {parameters: [{name: message, value: "{{item.k}}"}]}
        withItems: [{k: 1}, {other: 2}]
)",
     {},
     "Failed failed to resolve {{item.k}} at column 1\n"
     "wf Steps Failed \"failed to resolve {{item.k}} at column 1\" -> [0]\n"
     "wf[0] StepGroup Error \"failed to resolve {{item.k}} at column 1\"\n"},
};

const std::vector<Row> kTemplates = {
    {"a script gives its output to a condition, and a flat list of steps is a list of groups",
     R"(
  templates:
  - name: main
    steps:
    - {name: flip-coin, template: flip-coin}
    - {name: heads, template: heads, when: "{{steps.flip-coin.outputs.result}} == heads"}
    - {name: tails, template: tails, when: "{{steps.flip-coin.outputs.result}} == tails"}
  - name: flip-coin
    script: {image: python, command: [python], source: "print('tails') "}
  - {name: heads, container: {image: busybox}}
  - {name: tails, container: {image: busybox}}
)",
     {{"wf[0].flip-coin", printing("tails")}},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => tails\n"
     "wf[0] StepGroup Succeeded -> flip-coin\n"
     "wf[0].flip-coin Pod Succeeded -> [1]\n"
     "wf[1] StepGroup Succeeded -> heads\n"
     "wf[1].heads Skipped Skipped \"when 'tails == heads' evaluated false\" -> [2]\n"
     "wf[2] StepGroup Succeeded -> tails\n"
     "wf[2].tails Pod Succeeded\n"},
    {"a resource action is a pod node",
     R"(
  templates:
  - name: main
    resource:
      action: create
      setOwnerReference: true
      manifest: |
        apiVersion: v1
        kind: ConfigMap
        metadata: {generateName: owned-eg-}
)",
     {},
     "Succeeded\n"
     "wf Pod Succeeded\n"},
    {"a suspend node waits its time",
     R"(
  templates:
  - name: main
    steps:
    - - {name: pause, template: pause}
    - - {name: after, template: ok}
  - {name: pause, suspend: {duration: 1m}}
)",
     {},
     "Succeeded\n"
     "wf Steps Succeeded -> [0] => after\n"
     "wf[0] StepGroup Succeeded -> pause\n"
     "wf[0].pause Suspend Succeeded -> [1]\n"
     "wf[1] StepGroup Succeeded -> after\n"
     "wf[1].after Pod Succeeded\n"},
    {"retries of steps have their groups within the attempt",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: twice}
      - {name: B, template: ok, dependencies: [A]}
  - name: twice
    retryStrategy: {limit: 1}
    steps:
    - - {name: s, template: ok}
)",
     {{"wf.A(0)[0].s", failing()}},
     "Succeeded\n"
     "wf DAG Succeeded -> A => B\n"
     "wf.A Retry Succeeded -> A(0), A(1)\n"
     "wf.A(0) Steps Failed \"child 'wf.A(0)[0].s' failed\" -> [0] => s\n"
     "wf.A(0)[0] StepGroup Failed \"child 'wf.A(0)[0].s' failed\" -> s\n"
     "wf.A(0)[0].s Pod Failed \"main: Error (exit code 1)\"\n"
     "wf.A(1) Steps Succeeded -> [0], B => s\n"
     "wf.A(1)[0] StepGroup Succeeded -> s\n"
     "wf.A(1)[0].s Pod Succeeded\n"
     "wf.B Pod Succeeded\n"},
    {"a retried loop with exit handlers",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: r, withItems: [1, 2], onExit: ok}
      - {name: B, template: ok, dependencies: [A]}
  - {name: r, retryStrategy: {limit: 1}, container: {image: busybox}}
)",
     {{"wf.A(0:1)(0)", failing()}},
     "Succeeded\n"
     "wf DAG Succeeded -> A => B\n"
     "wf.A TaskGroup Succeeded -> A(0:1), A(1:2)\n"
     "wf.A(0:1) Retry Succeeded -> A(0:1)(0), A(0:1)(1), A(0:1).onExit\n"
     "wf.A(0:1)(0) Pod Failed \"main: Error (exit code 1)\"\n"
     "wf.A(1:2) Retry Succeeded -> A(1:2)(0), A(1:2).onExit\n"
     "wf.A(1:2)(0) Pod Succeeded\n"
     "wf.A(0:1)(1) Pod Succeeded\n"
     "wf.A(1:2).onExit Pod Succeeded -> B\n"
     "wf.A(0:1).onExit Pod Succeeded -> B\n"
     "wf.B Pod Succeeded\n"},
};

const std::vector<Row> kDags = {
    {"targets may have tags",
     R"(
  arguments: {parameters: [{name: t, value: "b c"}]}
  templates:
  - name: main
    dag:
      tasks:
      - {name: in, template: part, arguments: {parameters: [{name: t, value: "{{workflow.parameters.t}}"}]}}
  - name: part
    inputs: {parameters: [{name: t}]}
    dag:
      target: "{{inputs.parameters.t}}"
      tasks:
      - {name: a, template: ok}
      - {name: b, template: ok, dependencies: [a]}
      - {name: c, template: ok}
      - {name: d, template: ok}
)",
     {},
     "Succeeded\n"
     "wf DAG Succeeded -> in => b, c\n"
     "wf.in DAG Succeeded -> a, c => b, c\n"
     "wf.in.a Pod Succeeded -> b\n"
     "wf.in.c Pod Succeeded\n"
     "wf.in.b Pod Succeeded\n"},
    {"a target that is no task is an error",
     R"(
  arguments: {parameters: [{name: t, value: "zz"}]}
  templates:
  - name: main
    dag:
      target: "{{workflow.parameters.t}}"
      tasks:
      - {name: a, template: ok}
)",
     {},
     "Error error in entry template execution: target zz does not exist\n"
     "wf DAG Error \"target zz does not exist\"\n"},
    {"without failFast the last target that failed decides",
     R"(
  templates:
  - name: main
    dag:
      failFast: false
      tasks:
      - {name: b, template: ok}
      - {name: a, template: ok}
)",
     {{"wf.a", erring()}, {"wf.b", failing()}},
     "Failed\n"
     "wf DAG Failed -> b, a => a, b\n"
     "wf.b Pod Failed \"main: Error (exit code 1)\"\n"
     "wf.a Pod Error \"pod lost\"\n"},
    {"a diamond",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: ok}
      - {name: B, template: ok, dependencies: [A]}
      - {name: C, template: ok, dependencies: [A]}
      - {name: D, template: ok, dependencies: [B, C]}
)",
     {},
     "Succeeded\n"
     "wf DAG Succeeded -> A => D\n"
     "wf.A Pod Succeeded -> B, C\n"
     "wf.B Pod Succeeded -> D\n"
     "wf.C Pod Succeeded -> D\n"
     "wf.D Pod Succeeded\n"},
    {"what depends on a failed task is omitted",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: ok}
      - {name: B, template: ok, dependencies: [A]}
      - {name: C, template: ok, dependencies: [B]}
)",
     {{"wf.A", failing()}},
     "Failed\n"
     "wf DAG Failed -> A => C\n"
     "wf.A Pod Failed \"main: Error (exit code 1)\" -> B\n"
     "wf.B Skipped Omitted \"omitted: depends condition not met\" -> C\n"
     "wf.C Skipped Omitted \"omitted: depends condition not met\"\n"},
    {"depends on a failure",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: ok}
      - {name: fix, template: ok, depends: A.Failed}
      - {name: go-on, template: ok, depends: A.Succeeded}
)",
     {{"wf.A", failing()}},
     "Failed\n"
     "wf DAG Failed -> A => fix, go-on\n"
     "wf.A Pod Failed \"main: Error (exit code 1)\" -> fix, go-on\n"
     "wf.fix Pod Succeeded\n"
     "wf.go-on Skipped Omitted \"omitted: depends condition not met\"\n"},
    {"an omitted leaf counts as its branch",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: ok}
      - {name: B, template: ok, depends: A.Failed}
)",
     {},
     "Succeeded\n"
     "wf DAG Succeeded -> A => B\n"
     "wf.A Pod Succeeded -> B\n"
     "wf.B Skipped Omitted \"omitted: depends condition not met\"\n"},
    {"continueOn lets dependents run and a leaf pass",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: ok, continueOn: {failed: true}}
      - {name: B, template: ok, dependencies: [A], continueOn: {error: true}}
)",
     {{"wf.A", failing()}, {"wf.B", erring()}},
     "Succeeded\n"
     "wf DAG Succeeded -> A => B\n"
     "wf.A Pod Failed \"main: Error (exit code 1)\" -> B\n"
     "wf.B Pod Error \"pod lost\"\n"},
    {"only what the target needs",
     R"(
  templates:
  - name: main
    dag:
      target: B
      tasks:
      - {name: A, template: ok}
      - {name: B, template: ok, dependencies: [A]}
      - {name: C, template: ok, dependencies: [A]}
)",
     {},
     "Succeeded\n"
     "wf DAG Succeeded -> A => B\n"
     "wf.A Pod Succeeded -> B\n"
     "wf.B Pod Succeeded\n"},
    {"a loop has a task group",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: echo, withSequence: {start: "8", end: "9", format: "n%02d"}, arguments: {parameters: [{name: message, value: "{{item}}"}]}}
      - {name: B, template: ok, depends: A}
)",
     {},
     "Succeeded\n"
     "wf DAG Succeeded -> A => B\n"
     "wf.A TaskGroup Succeeded -> A(0:n08), A(1:n09)\n"
     "wf.A(0:n08) Pod Succeeded -> B\n"
     "wf.A(1:n09) Pod Succeeded -> B\n"
     "wf.B Pod Succeeded\n"},
    {"AnySucceeded and AllFailed of a loop",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: echo, withItems: [x, w], arguments: {parameters: [{name: message, value: "{{item}}"}]}}
      - {name: B, template: ok, depends: A.AnySucceeded}
      - {name: C, template: ok, depends: A.AllFailed}
)",
     {{"wf.A(0:x)", failing()}},
     "Failed\n"
     "wf DAG Failed -> A => B, C\n"
     "wf.A TaskGroup Failed -> A(0:x), A(1:w)\n"
     "wf.A(0:x) Pod Failed \"main: Error (exit code 1)\" -> B, C\n"
     "wf.A(1:w) Pod Succeeded -> B, C\n"
     "wf.B Pod Succeeded\n"
     "wf.C Skipped Omitted \"omitted: depends condition not met\"\n"},
    {"a task without its argument errs",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: echo}
)",
     {},
     "Error\n"
     "wf DAG Error -> A => A\n"
     "wf.A Skipped Error \"task 'wf.A' errored: inputs.parameters.message was not supplied\"\n"},
    {"a dag in a dag",
     R"(
  templates:
  - name: main
    dag:
      tasks:
      - {name: A, template: inner}
      - {name: B, template: ok, dependencies: [A]}
  - name: inner
    dag:
      tasks:
      - {name: v, template: ok}
      - {name: w, template: ok, when: "1 == 2"}
)",
     {},
     "Succeeded\n"
     "wf DAG Succeeded -> A => B\n"
     "wf.A DAG Succeeded -> v, w => v, w\n"
     "wf.A.v Pod Succeeded -> B\n"
     "wf.A.w Skipped Skipped \"when '1 == 2' evaluated false\" -> B\n"
     "wf.B Pod Succeeded\n"},
};

INSTANTIATE_TEST_SUITE_P(Steps, Rules, testing::ValuesIn(kSteps), row_name);
INSTANTIATE_TEST_SUITE_P(Loops, Rules, testing::ValuesIn(kLoops), row_name);
INSTANTIATE_TEST_SUITE_P(Templates, Rules, testing::ValuesIn(kTemplates), row_name);
INSTANTIATE_TEST_SUITE_P(Dag, Rules, testing::ValuesIn(kDags), row_name);

}  // namespace
}  // namespace tiphys::engine
