// Rules that a tree alone does not show: retries and time, exit handlers, outputs, users, parallelism, the cache.
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

using namespace std::chrono_literals;

/// A workflow named wf whose entrypoint is main; `templates` are in flow form.
std::string manifest(std::string_view templates, std::string_view more_spec = "") {
  return fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, "
      "spec: {{entrypoint: main{}{}, templates: [{}, "
      "{{name: ok, container: {{image: i, command: [c], args: [hi]}}}}, "
      "{{name: echo, inputs: {{parameters: [{{name: message}}]}}, container: {{image: i, command: [c], args: "
      "[\"{{{{inputs.parameters.message}}}}\"]}}}}]}}}}",
      more_spec.empty() ? "" : ", ", more_spec, templates);
}

// ---- Retries ----

TEST(Retry, AttemptsFollowUntilOneSucceeds) {
  FakeWorld world(
      manifest("{name: main, retryStrategy: {limit: 3}, container: {image: i, args: "
               "['{{retries}} {{lastRetry.exitCode}} {{lastRetry.status}}', '{{pod.name}}']}}"));
  world.ends = {{"wf(0)", failing(7)}, {"wf(1)", failing(8)}};
  world.play();
  EXPECT_EQ(world.tree(),
            "Succeeded\n"
            "wf Retry Succeeded -> wf(0), wf(1), wf(2)\n"
            "wf(0) Pod Failed \"main: Error (exit code 7)\"\n"
            "wf(1) Pod Failed \"main: Error (exit code 8)\"\n"
            "wf(2) Pod Succeeded\n");
  EXPECT_EQ(world.args("wf(0)"), "[\"0 0 \",\"wf-main-200985491\"]");
  EXPECT_EQ(world.args("wf(2)"), "[\"2 8 Failed\",\"wf-main-2550146341\"]");
  EXPECT_TRUE(world.node("wf(1)").retried);
  EXPECT_FALSE(world.node("wf").retried);
}

TEST(Retry, TheLimitEndsIt) {
  FakeWorld world(
      manifest("{name: main, retryStrategy: {limit: \"{{workflow.parameters.most}}\"}, container: {image: i}}",
               "arguments: {parameters: [{name: most, value: 1}]}"));
  world.ends = {{"wf(0)", failing()}, {"wf(1)", failing()}};
  world.play();
  EXPECT_EQ(world.node("wf").message, "No more retries left");
  EXPECT_EQ(world.run->status().message, "No more retries left");
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kFailed);
}

TEST(Retry, ByDefaultErrorsAreNotTriedAgain) {
  FakeWorld world(manifest("{name: main, retryStrategy: {limit: 3}, container: {image: i}}"));
  world.ends = {{"wf(0)", erring("node lost")}};
  world.play();
  EXPECT_EQ(world.tree(), "Error node lost\nwf Retry Error \"node lost\" -> wf(0)\nwf(0) Pod Error \"node lost\"\n");
}

TEST(Retry, AnExpressionDecides) {
  FakeWorld world(
      manifest("{name: main, retryStrategy: {limit: 5, expression: \"asInt(lastRetry.exitCode) > 1\"}, "
               "container: {image: i}}"));
  world.ends = {{"wf(0)", failing(2)}, {"wf(1)", failing(1)}};
  world.play();
  EXPECT_EQ(world.node("wf").message, "retryStrategy.expression evaluated to false");
  EXPECT_EQ(world.created.size(), 2u);
}

TEST(Retry, AnExpressionMayHaveTagsOfInputs) {
  FakeWorld world(
      manifest("{name: main, inputs: {parameters: [{name: most, value: 2}]}, retryStrategy: {limit: 5, expression: "
               "\"asInt(retries) < {{inputs.parameters.most}} - 1\"}, container: {image: i}}"));
  world.ends = {{"wf(0)", failing()}, {"wf(1)", failing()}};
  world.play();
  EXPECT_EQ(world.node("wf").message, "retryStrategy.expression evaluated to false");
  EXPECT_EQ(world.created.size(), 2u);
}

TEST(Retry, TheLastDurationIsInWholeSeconds) {
  FakeWorld world(
      manifest("{name: main, retryStrategy: {limit: 5, expression: \"asInt(lastRetry.duration) < 3\"}, container: "
               "{image: i, args: ['{{lastRetry.duration}}']}}"));
  world.ends = {{"wf(0)", failing()}, {"wf(1)", failing()}};
  world.ends["wf(0)"].runs = 2400ms;
  world.ends["wf(1)"].runs = 3s;
  world.play();
  EXPECT_EQ(world.args("wf(1)"), "[\"2\"]");
  EXPECT_EQ(world.node("wf").message, "retryStrategy.expression evaluated to false");
}

TEST(Expressions, SeeTheTimeOfTheirEvent) {
  FakeWorld world(
      manifest("{name: main, retryStrategy: {limit: 5, expression: \"now().Year() < 2000\"}, container: {image: i}}"));
  world.ends = {{"wf(0)", failing(2)}};
  world.play();
  EXPECT_EQ(world.node("wf").message, "retryStrategy.expression evaluated to false");
}

TEST(Retry, BackoffWaitsLongerEachTime) {
  FakeWorld world(
      manifest("{name: main, retryStrategy: {limit: 3, backoff: {duration: \"10\", factor: 2, cap: 1m}}, "
               "container: {image: i}}"));
  world.ends = {{"wf(0)", failing()}, {"wf(1)", failing()}};
  world.apply(Started{});
  world.step();
  world.step();
  EXPECT_EQ(world.node("wf").message, "Backoff for 10 seconds");
  EXPECT_EQ(world.timer, kStart + 11s);
  while (world.step()) {
  }
  EXPECT_EQ(world.node("wf(1)").started_at, kStart + 11s);
  EXPECT_EQ(world.node("wf(2)").started_at, kStart + 32s);
  EXPECT_EQ(world.node("wf").message, "");
}

TEST(Retry, NoWaitBeyondTheMaximumDuration) {
  FakeWorld world(
      manifest("{name: main, retryStrategy: {limit: 3, backoff: {duration: \"10\", maxDuration: 5s}}, "
               "container: {image: i}}"));
  world.ends = {{"wf(0)", failing()}};
  world.play();
  EXPECT_EQ(world.node("wf").message, "Backoff would exceed max duration limit");
}

TEST(Retry, OutboundIsTheLastAttempt) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: r}], [{name: b, template: ok}]]}, "
               "{name: r, retryStrategy: {limit: 1}, container: {image: i}}"));
  world.ends = {{"wf[0].a(0)", failing()}};
  world.play();
  EXPECT_EQ(world.tree(),
            "Succeeded\n"
            "wf Steps Succeeded -> [0] => b\n"
            "wf[0] StepGroup Succeeded -> a\n"
            "wf[0].a Retry Succeeded -> a(0), a(1)\n"
            "wf[0].a(0) Pod Failed \"main: Error (exit code 1)\"\n"
            "wf[0].a(1) Pod Succeeded -> [1]\n"
            "wf[1] StepGroup Succeeded -> b\n"
            "wf[1].b Pod Succeeded\n");
}

// ---- Exit handlers ----

TEST(Exit, TheWorkflowsHandlerKnowsHowItWent) {
  FakeWorld world(
      manifest("{name: main, container: {image: i}}, {name: bye, container: {image: i, args: "
               "['{{workflow.status}}', '{{workflow.failures}}', '{{workflow.duration}}']}}",
               "onExit: bye"));
  world.ends = {{"wf", failing(3)}};
  world.play();
  EXPECT_EQ(world.tree(),
            "Failed main: Error (exit code 3)\n"
            "wf Pod Failed \"main: Error (exit code 3)\"\n"
            "wf.onExit Pod Succeeded\n");
  EXPECT_EQ(world.args("wf.onExit"),
            R"(["Failed","\"[{\\\"displayName\\\":\\\"wf\\\",\\\"message\\\":\\\"main: Error (exit code 3)\\\",)"
            R"(\\\"templateName\\\":\\\"main\\\",\\\"phase\\\":\\\"Failed\\\",\\\"podName\\\":\\\"wf\\\",)"
            R"(\\\"finishedAt\\\":\\\"2023-11-14T22:13:21Z\\\"}]\"","1.000000"])");
  EXPECT_TRUE(world.node("wf.onExit").hooked);
  EXPECT_TRUE(world.created.back().on_exit);
}

/// In the original each pass of the controller looks for failed nodes anew.
TEST(Exit, LaterStepsOfTheHandlerKnowItsFailures) {
  for (const bool crashes : {false, true}) {
    FakeWorld world(
        manifest("{name: main, container: {image: i}}, {name: bye, steps: [[{name: one, template: tell, continueOn: "
                 "{failed: true}}], [{name: two, template: tell}]]}, {name: tell, container: {image: i, args: "
                 "['{{=join(map(fromJSON(fromJSON(workflow.failures)), #.displayName), \" \")}}']}}",
                 "onExit: bye"));
    world.ends = {{"wf", failing(3)}, {"wf.onExit[0].one", failing(1)}};
    world.apply(Started{});
    while (world.step()) {
      if (crashes) world.crash();
    }
    EXPECT_EQ(world.args("wf.onExit[0].one"), R"(["wf"])") << crashes;
    EXPECT_EQ(world.args("wf.onExit[1].two"), R"(["wf one"])") << crashes;
  }
}

TEST(Exit, AFailedHandlerFailsTheRun) {
  FakeWorld world(manifest("{name: main, container: {image: i}}", "onExit: ok"));
  world.ends = {{"wf.onExit", failing()}};
  world.play();
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kFailed);
  EXPECT_EQ(world.run->status().message, "main: Error (exit code 1)");
}

TEST(Exit, AStepsHandlerIsItsChildAndHoldsTheGroup) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: give, onExit: echo}], [{name: b, template: ok}]]}, "
               "{name: give, outputs: {parameters: [{name: x, valueFrom: {path: /x}}]}, container: {image: i}}"));
  world.ends = {{"wf[0].a", giving("x", "7")}};
  world.play();
  EXPECT_EQ(world.node("wf[0].a.onExit").message, "inputs.parameters.message was not supplied");
}

TEST(Exit, AHandlersArgumentsSeeTheNodesOutputs) {
  FakeWorld world(manifest(
      "{name: main, dag: {tasks: [{name: a, template: give, hooks: {exit: {template: echo, arguments: {parameters: "
      "[{name: message, value: 'x={{tasks.a.outputs.parameters.x}}'}]}}}}, {name: b, template: ok, dependencies: "
      "[a]}]}}, "
      "{name: give, outputs: {parameters: [{name: x, valueFrom: {path: /x}}]}, container: {image: i}}"));
  world.ends = {{"wf.a", giving("x", "7")}};
  world.play();
  EXPECT_EQ(world.args("wf.a.onExit"), "[\"x=7\"]");
  EXPECT_EQ(world.tree(),
            "Succeeded\n"
            "wf DAG Succeeded -> a => b\n"
            "wf.a Pod Succeeded -> a.onExit, b\n"
            "wf.a.onExit Pod Succeeded\n"
            "wf.b Pod Succeeded\n");
  EXPECT_EQ(world.node("wf.b").started_at, kStart + 2s) << "after the handler";
}

// ---- Outputs ----

TEST(Outputs, OfLoopsAreLists) {
  FakeWorld world(manifest(
      "{name: main, steps: [[{name: a, template: give, withItems: [1, 2, 3]}], [{name: b, template: echo, arguments: "
      "{parameters: [{name: message, value: '{{steps.a.outputs.result}} {{steps.a.outputs.parameters.x}} "
      "{{steps.a.outputs.parameters}}'}]}}]]}, "
      "{name: give, outputs: {parameters: [{name: x, valueFrom: {path: /x}}]}, container: {image: i}}"));
  for (int i = 1; i <= 3; ++i) {
    PodEnd end = giving("x", fmt::format("v{}", i));
    end.outputs->result = fmt::format("{{\"n\": {}}}", i);
    world.ends[fmt::format("wf[0].a({}:{})", i - 1, i)] = end;
  }
  world.ends["wf[0].a(1:2)"] = failing();
  FakeWorld tolerant(manifest(
      "{name: main, steps: [[{name: a, template: give, withItems: [1, 2, 3], continueOn: {failed: true}}], [{name: b, "
      "template: echo, arguments: {parameters: [{name: message, value: '{{steps.a.outputs.result}} "
      "{{steps.a.outputs.parameters.x}} {{steps.a.outputs.parameters}}'}]}}]]}, "
      "{name: give, outputs: {parameters: [{name: x, valueFrom: {path: /x}}]}, container: {image: i}}"));
  tolerant.ends = world.ends;
  tolerant.play();
  EXPECT_EQ(tolerant.args("wf[1].b"), R"(["[{\"n\":1},{\"n\":3}] [\"v1\",\"v3\"] [{\"x\":\"v1\"},{\"x\":\"v3\"}]"])");
  EXPECT_TRUE(tolerant.created.front().include_result);
  EXPECT_FALSE(tolerant.created.back().include_result);
}

TEST(Outputs, GoUpAndBecomeGlobal) {
  FakeWorld world(manifest(
      "{name: main, steps: [[{name: a, template: inner}], [{name: b, template: echo, arguments: {parameters: [{name: "
      "message, value: '{{steps.a.outputs.parameters.why}} {{workflow.outputs.parameters.g}}'}]}}]]}, "
      "{name: inner, outputs: {parameters: [{name: why, valueFrom: {parameter: '{{tasks.t.outputs.parameters.x}}'}}, "
      "{name: z, valueFrom: {expression: \"tasks.t.outputs.parameters.x + '!'\"}}]}, "
      "dag: {tasks: [{name: t, template: give}]}}, "
      "{name: give, outputs: {parameters: [{name: x, globalName: g, valueFrom: {path: /x}}]}, container: {image: i}}"));
  world.ends = {{"wf[0].a.t", giving("x", "7")}};
  world.play();
  EXPECT_EQ(world.args("wf[1].b"), "[\"7 7\"]");
  const auto inner = world.node("wf[0].a");
  ASSERT_TRUE(inner.outputs);
  EXPECT_EQ(inner.outputs->parameters[1].value, "7!");
  ASSERT_TRUE(world.run->status().outputs);
  EXPECT_EQ(world.run->status().outputs->parameters.front().name, "g");
}

/// As in the original, which fills in the whole template first.
TEST(Outputs, AreDeclaredWithTags) {
  FakeWorld world(manifest(
      "{name: main, steps: [[{name: a, template: inner, arguments: {parameters: [{name: k, value: one}]}}], [{name: b, "
      "template: echo, arguments: {parameters: [{name: message, value: '{{workflow.outputs.parameters.g-one}} "
      "{{workflow.outputs.parameters.s-one}}'}]}}]]}, "
      "{name: inner, inputs: {parameters: [{name: k}]}, outputs: {parameters: [{name: x, globalName: "
      "'g-{{inputs.parameters.k}}', valueFrom: {parameter: '{{steps.t.outputs.parameters.x}}'}}]}, steps: [[{name: t, "
      "template: give}, {name: s, template: wait, arguments: {parameters: [{name: k, value: "
      "'{{inputs.parameters.k}}'}]}}]]}, "
      "{name: give, outputs: {parameters: [{name: x, valueFrom: {path: /x}}]}, container: {image: i}}, "
      "{name: wait, inputs: {parameters: [{name: k}]}, outputs: {parameters: [{name: x, globalName: "
      "'s-{{inputs.parameters.k}}', valueFrom: {supplied: {}, default: "
      "'{{workflow.name}}/{{inputs.parameters.k}}'}}]}, "
      "suspend: {duration: \"1\"}}"));
  world.ends = {{"wf[0].a[0].t", giving("x", "7")}};
  world.play();
  EXPECT_EQ(world.args("wf[1].b"), "[\"7 wf/one\"]");
  EXPECT_EQ(world.node("wf[0].a[0].s").outputs->parameters.front().value, "wf/one");
}

TEST(Outputs, OfGroupsTellWhatTheyLack) {
  for (const auto& [outputs, message] : {
           std::pair("parameters: [{name: o, valueFrom: {parameter: '{{steps.a.outputs.parameters.x}}'}}]",
                     "Unable to resolve: \"steps.a.outputs.parameters.x\""),
           {"parameters: [{name: o, valueFrom: {parameter: '{{ steps.a.outputs.result }}'}}]",
            "Unable to resolve: \"steps.a.outputs.result\""},
           {"artifacts: [{name: o, from: '{{steps.a.outputs.artifacts.x}}'}]",
            "unable to resolve outputs from scope: Unable to resolve: \"steps.a.outputs.artifacts.x\""},
       }) {
    FakeWorld world(manifest(fmt::format(
        "{{name: main, outputs: {{{}}}, steps: [[{{name: a, template: ok, continueOn: {{failed: true}}}}]]}}",
        outputs)));
    world.ends = {{"wf[0].a", failing()}};
    world.play();
    EXPECT_EQ(world.node("wf").message, message);
  }
}

/// The global name of an artifact is that of the template that makes it.
TEST(Outputs, OfGroupsGiveArtifactsNoGlobalName) {
  for (const auto& [global, exported] : {std::pair("", ""), {", globalName: g", "g"}}) {
    FakeWorld world(manifest(fmt::format(
        "{{name: main, outputs: {{artifacts: [{{name: o, globalName: h, from: "
        "'{{{{steps.a.outputs.artifacts.x}}}}'}}]}}, "
        "steps: [[{{name: a, template: make}}]]}}, {{name: make, outputs: {{artifacts: [{{name: x, path: /x{}}}]}}, "
        "container: {{image: i}}}}",
        global)));
    PodEnd end;
    api::Artifact& made = end.outputs.emplace().artifacts.emplace_back();
    made.name = "x";
    made.location = {{"s3", doc::Object{{"key", "k"}}}};
    world.ends = {{"wf[0].a", end}};
    world.play();
    EXPECT_EQ(world.node("wf").outputs->artifacts.front().name, "o");
    std::string names;
    for (const auto& one : world.run->status().outputs.value_or(api::Outputs{}).artifacts) names += one.name;
    EXPECT_EQ(names, exported);
  }
}

TEST(Outputs, KeepWhatTheyAreDeclaredWith) {
  const auto parameter = [](const std::string& outputs, PodEnd end) {
    FakeWorld world(manifest("{name: main, outputs: " + outputs + ", container: {image: i}}"));
    world.ends = {{"wf", std::move(end)}};
    world.play();
    const auto node = world.node("wf");
    return node.outputs->parameters.front();
  };
  PodEnd with_artifact = giving("x", "7");
  with_artifact.outputs->artifacts.emplace_back().name = "a";
  const auto beside = parameter(
      "{parameters: [{name: x, globalName: g, description: d, valueFrom: {path: /x}}], artifacts: [{name: a, path: "
      "/a}]}",
      with_artifact);
  EXPECT_EQ(beside.value, "7");
  EXPECT_EQ(beside.global_name, "g");
  EXPECT_EQ(beside.description, "d");
  ASSERT_TRUE(beside.value_from);
  EXPECT_EQ(beside.value_from->path, "/x");
  const auto tagged = parameter(
      "{parameters: [{name: x, globalName: 'g-{{workflow.name}}', valueFrom: {path: "
      "'/{{pod.name}}', default: '{{node.name}}'}}]}",
      giving("x", "7"));
  EXPECT_EQ(tagged.global_name, "g-wf");
  ASSERT_TRUE(tagged.value_from);
  EXPECT_EQ(tagged.value_from->path, "/wf");
  EXPECT_EQ(tagged.value_from->default_value, "wf");
}

TEST(Outputs, ArtifactsKeepWhatTheyAreDeclaredWith) {
  FakeWorld world(manifest(
      "{name: main, outputs: {artifacts: [{name: a, path: /a, globalName: 'g-{{workflow.name}}', optional: true, "
      "archive: {tar: {compressionLevel: 0}}}]}, container: {image: i}}"));
  PodEnd end;
  api::Artifact& artifact = end.outputs.emplace().artifacts.emplace_back();
  artifact.name = "a";
  artifact.raw = doc::Object{{"name", "a"}, {"path", "/a"}, {"s3", doc::Object{{"key", "k"}}}};
  world.ends = {{"wf", end}};
  world.play();
  EXPECT_EQ(doc::to_json(world.node("wf").outputs->artifacts.front().raw),
            R"({"name":"a","path":"/a","s3":{"key":"k"},"optional":true,"archive":{"tar":{"compressionLevel":0}},)"
            R"("globalName":"g-wf"})");
  EXPECT_EQ(world.run->status().outputs->artifacts.front().name, "g-wf");
}

TEST(Outputs, MayStandInTheManifest) {
  FakeWorld world(manifest(
      "{name: main, steps: [[{name: a, template: lit}], [{name: b, template: echo, arguments: {parameters: [{name: "
      "message, value: '{{steps.a.outputs.parameters.v}}'}]}}]]}, {name: lit, inputs: {parameters: [{name: i, value: "
      "in}]}, outputs: {parameters: [{name: v, value: 'c {{inputs.parameters.i}}'}]}, container: {image: i}}"));
  world.play();
  EXPECT_EQ(world.args("wf[1].b"), "[\"c in\"]");
}

TEST(Outputs, OfLoopsKeepTheirDigits) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: ok, withItems: [1, 2, 3]}], [{name: b, template: echo, "
               "arguments: {parameters: [{name: message, value: '{{steps.a.outputs.result}}'}]}}]]}"));
  world.ends = {{"wf[0].a(0:1)", printing("1.0")},
                {"wf[0].a(1:2)", printing("{\"a\": 1e-05}")},
                {"wf[0].a(2:3)", printing("text")}};
  world.play();
  EXPECT_EQ(world.args("wf[1].b"), R"(["[1.0,{\"a\":1e-05},\"text\"]"])");
}

TEST(Outputs, OfSkippedStepsGiveWayToDefaults) {
  const std::string give =
      "{name: give, outputs: {parameters: [{name: x, valueFrom: {path: /x}}, {name: d, valueFrom: {path: /d, default: "
      "dd}}]}, container: {image: i}}, {name: opt, inputs: {parameters: [{name: message, default: mine}]}, container: "
      "{image: i, args: ['{{inputs.parameters.message}}']}}";
  const auto run = [&](const std::string& value, const std::string& target) {
    FakeWorld world(
        manifest("{name: main, steps: [[{name: a, template: give, when: 1 == 2}], [{name: b, template: " + target +
                 ", arguments: {parameters: [{name: message, value: \"" + value + "\"}]}}]]}, " + give));
    world.play();
    return world.created.empty() ? world.node("wf").message : world.args("wf[1].b");
  };
  EXPECT_EQ(run("{{steps.a.outputs.parameters.d}}", "echo"), "[\"dd\"]");
  EXPECT_EQ(run("{{steps.a.outputs.parameters.x}}", "opt"), "[\"mine\"]");
  EXPECT_EQ(run("{{=steps.a.outputs.parameters.x ?? 'none'}}", "echo"), "[\"none\"]");
  EXPECT_EQ(run("{{steps.a.outputs.parameters.x}}", "echo"),
            "step group deemed errored due to child wf[1].b error: inputs.parameters.message: argument references an "
            "absent optional (skipped/omitted node output with no default)");
  EXPECT_TRUE(run("-{{steps.a.outputs.parameters.x}}", "echo").starts_with("failed to resolve references: "));
}

TEST(Outputs, ArtifactsGoFromStepToStep) {
  FakeWorld world(manifest(
      "{name: main, dag: {tasks: [{name: a, template: make}, {name: b, template: take, dependencies: [a], arguments: "
      "{artifacts: [{name: in, from: '{{tasks.a.outputs.artifacts.out}}', subPath: part}]}}]}}, "
      "{name: make, outputs: {artifacts: [{name: out, path: /out}]}, container: {image: i}}, "
      "{name: take, inputs: {artifacts: [{name: in, path: /in}]}, container: {image: i, args: "
      "['{{inputs.artifacts.in.path}}']}}"));
  PodEnd end;
  api::Artifact& artifact = end.outputs.emplace().artifacts.emplace_back();
  artifact.name = "out";
  artifact.path = "/out";
  artifact.location = doc::Object{{"s3", doc::Object{{"key", "wf/a/out.tgz"}}}};
  artifact.raw = doc::Object{{"name", "out"}, {"path", "/out"}, {"s3", doc::Object{{"key", "wf/a/out.tgz"}}}};
  world.ends = {{"wf.a", end}};
  world.play();
  EXPECT_EQ(world.args("wf.b"), "[\"/in\"]");
  const auto node = world.node("wf.b");
  ASSERT_TRUE(node.inputs);
  EXPECT_EQ(doc::to_json(node.inputs->artifacts.front().location), R"({"s3":{"key":"wf/a/out.tgz/part"}})");
  EXPECT_EQ(node.inputs->artifacts.front().path, "/in");
  const doc::Value* inputs = doc::find(*world.created.back().template_document, "inputs", "artifacts");
  ASSERT_TRUE(inputs);
  EXPECT_EQ(doc::find_string(inputs->get_array().front(), "s3", "key"), "wf/a/out.tgz/part");
}

TEST(Inputs, TakeArgumentsThatTheirEnumDoesNotList) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: one, arguments: {parameters: [{name: x, value: c}]}}]]}, "
               "{name: one, inputs: {parameters: [{name: x, enum: [a, b]}]}, container: {image: i, args: "
               "['{{inputs.parameters.x}}']}}"));
  world.play();
  EXPECT_EQ(world.args("wf[0].a"), "[\"c\"]");
}

TEST(Inputs, ValuesThatBringTagsAreRenderedAgain) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: echo, arguments: {parameters: [{name: message, "
               "value: '{{workflow.parameters.p}}'}]}}]]}",
               "arguments: {parameters: [{name: p, value: '{{workflow.name}}/{{node.name}}/{{keep}}'}]}"));
  world.play();
  EXPECT_EQ(world.args("wf[0].a"), "[\"wf/wf/{{keep}}\"]");
}

// ---- Suspend and users ----

TEST(Suspend, ADurationResumesByItself) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: s, template: wait}]]}, {name: wait, suspend: {duration: \"20\"}}"));
  world.play();
  EXPECT_EQ(world.node("wf[0].s").type, api::NodeType::kSuspend);
  EXPECT_EQ(world.node("wf[0].s").finished_at, kStart + 20s);
  EXPECT_EQ(world.run->status().progress, "1/1");
}

TEST(Suspend, AUserGivesOutputs) {
  FakeWorld world(manifest(
      "{name: main, steps: [[{name: s, template: wait}], [{name: b, template: echo, arguments: {parameters: [{name: "
      "message, value: '{{steps.s.outputs.parameters.answer}}'}]}}]]}, {name: wait, outputs: {parameters: [{name: "
      "answer, valueFrom: {supplied: {}}}]}, suspend: {}}"));
  world.apply(Started{});
  EXPECT_EQ(world.node("wf[0].s").phase, api::NodePhase::kRunning);
  world.crash();
  world.apply(NodesRequested{{{"displayName", "other"}}, api::NodePhase::kSucceeded, "", {}});
  EXPECT_EQ(world.node("wf[0].s").phase, api::NodePhase::kRunning);
  world.apply(NodesRequested{{{"displayName", "s"}}, std::nullopt, "", {{"answer", "yes"}}});
  world.apply(NodesRequested{{}, api::NodePhase::kSucceeded, "by hand", {}});
  while (world.step()) {
  }
  EXPECT_EQ(world.args("wf[1].b"), "[\"yes\"]");
  EXPECT_EQ(world.node("wf[0].s").message, "by hand");
}

TEST(Suspend, ASuspendedRunBeginsNothing) {
  FakeWorld world(manifest("{name: main, steps: [[{name: a, template: ok}], [{name: b, template: ok}]]}"));
  world.apply(Started{});
  world.apply(SuspendChanged{true});
  while (world.step()) {
  }
  EXPECT_EQ(world.node("wf[0].a").phase, api::NodePhase::kSucceeded);
  EXPECT_EQ(world.created.size(), 1u);
  world.crash();
  EXPECT_EQ(world.created.size(), 1u);
  world.apply(SuspendChanged{false});
  while (world.step()) {
  }
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
}

TEST(Control, StopFailsPodsAndRunsExitHandlers) {
  FakeWorld world(
      manifest("{name: main, dag: {tasks: [{name: a, template: ok}, {name: b, template: ok, dependencies: "
               "[a]}, {name: c, template: ok, depends: a.Failed}]}}",
               "onExit: ok"));
  world.apply(Started{});
  world.apply(ShutdownRequested{"Stop", ""});
  EXPECT_EQ(world.stopped, std::vector<std::string>{"wf-ok-2962115457"});
  while (world.step()) {
  }
  EXPECT_EQ(world.tree(),
            "Failed Stopped with strategy 'Stop'\n"
            "wf DAG Failed -> a => b, c\n"
            "wf.a Pod Failed \"workflow shutdown with strategy:  Stop\" -> b, c\n"
            "wf.b Skipped Omitted \"omitted: depends condition not met\"\n"
            "wf.c Pod Failed \"workflow shutdown with strategy: Stop\"\n"
            "wf.onExit Pod Succeeded\n");
}

TEST(Control, TerminateRunsNone) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: r, onExit: ok}, {name: s, template: wait}]]}, "
               "{name: r, retryStrategy: {limit: 5}, container: {image: i}}, {name: wait, suspend: {}}",
               "onExit: ok"));
  world.apply(Started{});
  world.apply(ShutdownRequested{"Terminate", ""});
  EXPECT_EQ(world.tree(),
            "Failed Stopped with strategy 'Terminate'\n"
            "wf Steps Failed \"child 'wf[0].a' failed\" -> [0] => a(0), s\n"
            "wf[0] StepGroup Failed \"child 'wf[0].a' failed\" -> a, s\n"
            "wf[0].a Retry Failed \"Stopped with strategy 'Terminate'\" -> a(0)\n"
            "wf[0].a(0) Pod Failed \"workflow shutdown with strategy:  Terminate\"\n"
            "wf[0].s Suspend Failed \"Stopped with strategy 'Terminate'\"\n");
}

TEST(Control, TheDeadlineFailsWhatRuns) {
  FakeWorld world(manifest("{name: main, steps: [[{name: a, template: ok}], [{name: b, template: ok}]]}",
                           "activeDeadlineSeconds: 5, onExit: ok"));
  world.ends["wf[0].a"].runs = 60s;
  world.play();
  EXPECT_EQ(world.node("wf[0].a").message, "Step exceeded its deadline");
  EXPECT_EQ(world.node("wf[0].a").finished_at, kStart + 5s);
  EXPECT_EQ(world.created.front().active_deadline, 5s);
  EXPECT_EQ(world.created.back().active_deadline, std::nullopt) << "an exit handler has no deadline";
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kFailed);
}

/// What is stopped first decides what failFast still lets begin. By its id, a hash, the pod would come first here.
TEST(Control, TheDeadlineStopsARestoredRunInTheSameOrder) {
  const std::string text = manifest(
      "{name: main, failFast: true, dag: {tasks: [{name: a, template: pause}, {name: work, template: steps}, "
      "{name: then, template: ok, dependencies: [a]}, {name: last, template: ok, dependencies: [then]}]}}, "
      "{name: pause, suspend: {}}, {name: steps, steps: [[{name: step, template: ok}]]}",
      "activeDeadlineSeconds: 1");
  FakeWorld straight(text), crashing(text);
  straight.ends["wf.work[0].step"].runs = crashing.ends["wf.work[0].step"].runs = 60s;
  straight.play();
  crashing.apply(Started{});
  crashing.crash();
  while (crashing.step()) crashing.crash();
  EXPECT_EQ(straight.tree(), crashing.tree());
}

/// A restart would not wait for the timer either.
TEST(Control, TheDeadlineComesBeforeWhatHappensThen) {
  for (const bool crashes : {false, true}) {
    FakeWorld world(manifest("{name: main, steps: [[{name: a, template: ok}, {name: b, template: ok}]]}",
                             "activeDeadlineSeconds: 5"));
    world.ends["wf[0].a"].runs = 9s;
    world.apply(Started{});
    while (world.node("wf[0].b").phase != api::NodePhase::kSucceeded && world.step()) {
    }
    world.now = kStart + 5s;
    if (crashes) world.crash();
    world.apply(ShutdownRequested{"Stop", ""});
    EXPECT_EQ(world.node("wf[0].a").message, "Step exceeded its deadline");
  }
}

TEST(Control, ATimeoutStandsInPlaceOfOtherDeadlines) {
  struct Row {
    const char* limits;
    const char* spec;
    std::optional<Duration> deadline;
  };
  for (const auto& [limits, spec, deadline] : {
           Row{"", "", std::nullopt},
           Row{"activeDeadlineSeconds: 9, ", "activeDeadlineSeconds: 20", 9s},
           Row{"activeDeadlineSeconds: 30, ", "activeDeadlineSeconds: 20", 20s},
           Row{"timeout: 25s, ", "activeDeadlineSeconds: 20", 25s},
           Row{"timeout: 25s, activeDeadlineSeconds: 9, ", "", 25s},
           Row{"timeout: 5s, activeDeadlineSeconds: 9, ", "", 5s},
       }) {
    FakeWorld world(manifest(fmt::format("{{name: main, {}container: {{image: i}}}}", limits), spec));
    world.apply(Started{});
    EXPECT_EQ(world.created.front().active_deadline, deadline) << limits << spec;
  }
}

TEST(Control, ATemplatesTimeoutEndsAPodThatWaits) {
  FakeWorld world(manifest("{name: main, timeout: 30s, activeDeadlineSeconds: 60, container: {image: i}}"));
  world.apply(Started{});
  EXPECT_EQ(world.created.front().active_deadline, 30s);
  world.due.clear();
  world.apply(pod_changed("wf", PodChanged::Phase::kPending, "Unschedulable"));
  EXPECT_EQ(world.node("wf").message, "Unschedulable");
  while (world.step()) {
  }
  EXPECT_EQ(world.tree(), "Failed timeout\nwf Pod Failed \"timeout\"\n");
  EXPECT_EQ(world.stopped.size(), 1u);
}

TEST(Control, APodThatVanishesIsAnErrorOnceItRan) {
  FakeWorld world(manifest("{name: main, container: {image: i}}"));
  world.apply(Started{});
  world.due.clear();
  world.apply(pod_changed("wf", PodChanged::Phase::kGone));
  EXPECT_EQ(world.repeated_pods, 1) << "a pod that never ran is asked for again";
  world.apply(pod_changed("wf", PodChanged::Phase::kRunning));
  world.apply(pod_changed("wf", PodChanged::Phase::kGone));
  EXPECT_EQ(world.tree(), "Error pod deleted\nwf Pod Error \"pod deleted\"\n");
}

// ---- Parallelism ----

/// The most pods that were alive at once.
int most_at_once(FakeWorld& world) {
  int alive = 0, most = 0;
  world.apply(Started{});
  do {
    alive = 0;
    for (const auto& [id, row] : world.rows) alive += row.type == api::NodeType::kPod && !api::fulfilled(row.phase);
    most = std::max(most, alive);
  } while (world.step());
  return most;
}

TEST(Parallelism, OfATemplate) {
  FakeWorld world(
      manifest("{name: main, parallelism: 2, steps: [[{name: a, template: ok, withItems: [1, 2, 3, 4, 5]}]]}"));
  EXPECT_EQ(most_at_once(world), 2);
  EXPECT_EQ(world.created.size(), 5u);
  EXPECT_EQ(world.run->status().progress, "5/5");
}

TEST(Parallelism, OfZeroHoldsNothingBack) {
  FakeWorld world(manifest("{name: main, parallelism: 0, steps: [[{name: a, template: ok, withItems: [1, 2, 3]}]]}"));
  EXPECT_EQ(most_at_once(world), 3);
  EXPECT_EQ(world.run->status().progress, "3/3");
}

TEST(Parallelism, OfTheWorkflow) {
  FakeWorld world(
      manifest("{name: main, dag: {tasks: [{name: a, template: in}, {name: b, template: in}]}}, {name: in, "
               "dag: {tasks: [{name: x, template: ok}, {name: w, template: ok}, {name: z, template: ok}]}}",
               "parallelism: 3"));
  EXPECT_EQ(most_at_once(world), 3);
  EXPECT_EQ(world.created.size(), 6u);
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
}

TEST(Parallelism, TheFirstOfTheManifestGoesFirst) {
  FakeWorld world(
      manifest("{name: main, dag: {tasks: [{name: a, template: ok}, {name: b, template: ok}, "
               "{name: after-a, template: ok, dependencies: [a]}, {name: c, template: ok}]}}",
               "parallelism: 1"));
  std::string order;
  world.script = [&](const CreatePod& pod) {
    order += pod.node_name.substr(3) + " ";
    return PodEnd{};
  };
  world.play();
  EXPECT_EQ(order, "a b after-a c ") << "c has waited longer, which a restored run would not know";
}

TEST(Parallelism, CountsWhatAsksTheCache) {
  const char* rows[] = {"{name: main, parallelism: 2, steps: [[{name: a, template: t, withItems: [1, 2, 3, 4, 5]}]]}",
                        "{name: main, steps: [[{name: a, template: t, withItems: [1, 2, 3, 4, 5]}]]}"};
  for (const char* retry : {"", ", retryStrategy: {limit: 1}"}) {
    for (const char* main : rows) {
      const bool of_template = main == rows[0];
      FakeWorld world(manifest(fmt::format("{}, {{name: t{}, memoize: {{key: k, cache: {{configMap: {{name: c}}}}}}, "
                                           "container: {{image: i}}}}",
                                           main, retry),
                               of_template ? "" : "parallelism: 2"));
      world.look_up = [](const LookUpCache&) { return std::nullopt; };
      EXPECT_EQ(most_at_once(world), 2) << main << retry;
      EXPECT_EQ(world.created.size(), 5u) << main << retry;
    }
  }
}

TEST(Parallelism, ARestoredRetryThatWaitsTriesOnceMoreOnly) {
  FakeWorld world(
      "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: wf}, spec: {entrypoint: main, parallelism: "
      "1, "
      "templates: [{name: main, steps: [[{name: r, template: flaky}, {name: s, template: ok}]]}, {name: flaky, "
      "retryStrategy: {limit: 3}, container: {image: i}}, {name: ok, container: {image: i}}]}}");
  world.script = [](const CreatePod& pod) { return pod.node_name == "wf[0].r(1)" ? PodEnd{} : failing(); };
  world.apply(Started{});
  while (world.step()) world.crash();
  EXPECT_EQ(world.node("wf[0].r").phase, api::NodePhase::kSucceeded);
  EXPECT_EQ(world.created.size(), 3u) << "r(0), s and r(1)";
}

// ---- Cache, resources, recursion ----

TEST(Memoize, AMissIsSavedAndAHitRunsNothing) {
  const std::string text = manifest(
      "{name: main, steps: [[{name: a, template: give, arguments: {parameters: [{name: k, value: key-1}]}}]]}, "
      "{name: give, inputs: {parameters: [{name: k}]}, memoize: {key: '{{inputs.parameters.k}}', maxAge: 1h, cache: "
      "{configMap: {name: c}}}, outputs: {parameters: [{name: x, valueFrom: {path: /x}}]}, container: {image: i}}");
  FakeWorld miss(text);
  miss.ends = {{"wf[0].a", giving("x", "7")}};
  miss.play();
  ASSERT_TRUE(miss.cache.contains("key-1"));
  EXPECT_EQ(miss.cache.at("key-1").parameters.front().value, "7");
  EXPECT_FALSE(miss.node("wf[0].a").memoization->hit);

  FakeWorld hit(text);
  hit.cache = miss.cache;
  hit.play();
  EXPECT_EQ(hit.created.size(), 0u);
  EXPECT_TRUE(hit.node("wf[0].a").memoization->hit);
  EXPECT_EQ(hit.node("wf[0].a").type, api::NodeType::kPod);
  EXPECT_EQ(hit.node("wf[0].a").outputs->parameters.front().value, "7");
  EXPECT_EQ(hit.run->status().phase, RunStatus::Phase::kSucceeded);
}

TEST(Memoize, ARestoredNodeAsksAgain) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: t}, {name: b, template: ok}]]}, {name: t, memoize: "
               "{key: k, cache: {configMap: {name: c}}}, container: {image: i}}"));
  world.apply(Started{});
  EXPECT_EQ(world.node("wf[0].a").phase, api::NodePhase::kPending);
  EXPECT_FALSE(world.node("wf[0].a").memoization) << "nothing is known yet";
  world.apply(pod_changed(world.node("wf[0].a").id, PodChanged::Phase::kGone));
  world.due.clear();
  world.crash();
  ASSERT_EQ(world.created.size(), 1u) << "no pod without an answer";
  world.step();
  EXPECT_FALSE(world.node("wf[0].a").memoization->hit);
  EXPECT_EQ(world.created.size(), 2u);
}

TEST(Memoize, ACacheThatCannotBeReadIsAnError) {
  for (const char* retry : {"", ", retryStrategy: {limit: 1}"}) {
    FakeWorld world(
        manifest(fmt::format("{{name: main{}, memoize: {{key: k, cache: {{configMap: {{name: c}}}}}}, "
                             "container: {{image: i}}}}",
                             retry)));
    world.apply(Started{});
    world.due.clear();
    CacheAnswered answer;
    answer.node_id = "wf";
    answer.error = "no such map";
    world.apply(answer);
    EXPECT_EQ(world.tree(), "Error error in entry template execution: no such map\nwf Skipped Error \"no such map\"\n");
    EXPECT_EQ(world.run->status().progress, "0/0");
  }
}

TEST(Memoize, WhatAsksIsAnsweredThoughTheRunStops) {
  for (const bool hit : {false, true}) {
    FakeWorld world(manifest("{name: main, memoize: {key: k, cache: {configMap: {name: c}}}, container: {image: i}}"));
    if (hit) world.cache["k"];
    world.apply(Started{});
    world.apply(ShutdownRequested{"Stop", ""});
    while (world.step()) {
    }
    EXPECT_EQ(world.node("wf").phase, hit ? api::NodePhase::kSucceeded : api::NodePhase::kFailed);
    EXPECT_TRUE(world.created.empty());
  }
}

TEST(Resource, IsAPodNodeWithItsOwnEffect) {
  FakeWorld world(manifest("{name: main, resource: {action: create, manifest: 'name: {{workflow.name}}'}}"));
  world.play();
  EXPECT_EQ(world.tree(), "Succeeded\nwf Pod Succeeded\n");
  EXPECT_EQ(doc::find_string(*world.actions.front().template_document, "resource", "manifest"), "name: wf");
}

TEST(Recursion, IsCutAtItsDepth) {
  FakeWorld world(manifest("{name: main, steps: [[{name: a, template: main}]]}"));
  world.play();
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kFailed);
  EXPECT_EQ(world.run->node_count(), 99u * 2 + 1);
}

TEST(Names, OfIdsAndPods) {
  EXPECT_EQ(node_id("wf", "wf"), "wf");
  EXPECT_EQ(node_id("wf", "wf[0].a"), "wf-3986212215");
  EXPECT_EQ(pod_name("wf", "wf[0].a", "ok", ""), "wf-ok-3986212215");
  EXPECT_EQ(pod_name("wf", "wf[0].a", "Ok", ""), "wf-ok-3986212215");
  EXPECT_EQ(pod_name("wf", "wf", "ok", ""), "wf");
  EXPECT_EQ(pod_name(std::string(250, 'w'), "x", "t", "").size(), 253u);
}

}  // namespace
}  // namespace tiphys::engine
