#include "engine/config_maps.h"

#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

std::shared_ptr<const ConfigMaps> maps() {
  auto maps = std::make_shared<ConfigMaps>();
  for (
      const char* text :
      {R"({"metadata":{"name":"cm","namespace":"default","labels":{"workflows.argoproj.io/configmap-type":"Parameter"}},
            "data":{"a":"one","tag":"{{workflow.name}}","wf":"of wf"}})",
       R"({"metadata":{"name":"memo","namespace":"default","labels":{"workflows.argoproj.io/configmap-type":"Cache"}},
            "data":{"a":"x"}})"}) {
    maps->put(std::make_shared<const doc::Value>(*doc::parse_json(text)));
  }
  return maps;
}

/// A step calls `leaf` with `arguments`; what it gets, or why it does not run.
std::string outcome(std::string_view input, std::string_view arguments, std::string_view loop = "") {
  FakeWorld world(fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main, "
      "templates: "
      "[{{name: main, steps: [[{{name: first, template: leaf, arguments: {{parameters: [{{name: in, value: a}}]}}}}], "
      "[{{name: s, template: leaf{}{}}}]]}}, {{name: leaf, inputs: {{parameters: [{{name: in{}}}]}}, "
      "container: {{image: i, args: [\"{{{{inputs.parameters.in}}}}\"]}}}}]}}}}",
      arguments.empty() ? std::string() : fmt::format(", arguments: {{parameters: [{{name: in, {}}}]}}", arguments),
      loop, input));
  world.script = [](const CreatePod&) { return printing("a"); };
  world.apply(ConfigMapsChanged{maps()});
  world.play();
  const std::string name = loop.empty() ? "wf[1].s" : "wf[1].s(0:a)";
  const auto node = world.run->find_node(node_id("wf", name));
  if (node && node->phase == api::NodePhase::kError) return node->message;
  return world.args(name);
}

TEST(ConfigMapValues, Rules) {
  constexpr std::string_view kFailed = "unable to retrieve inputs.parameters.in from ConfigMap: ";
  const auto from = [](std::string_view name, std::string_view key, std::string_view more = "") {
    return fmt::format("valueFrom: {{configMapKeyRef: {{name: \"{}\", key: \"{}\"}}{}}}", name, key, more);
  };
  struct Row {
    std::string rule, input, arguments, expected, loop = {};
  };
  const Row rows[] = {
      {"an input's own", ", " + from("cm", "a"), "", R"(["one"])"},
      {"it wins over the input's default", ", default: d, " + from("cm", "a"), "", R"(["one"])"},
      {"an argument wins over it", ", " + from("cm", "a"), "value: given", R"(["given"])"},
      {"an argument's", "", from("cm", "a"), R"(["one"])"},
      {"names may hold workflow variables", ", " + from("cm", "{{workflow.name}}"), "", R"(["of wf"])"},
      {"an argument's may hold those of steps", "", from("cm", "{{steps.first.outputs.result}}"), R"(["one"])"},
      {"and the item of a loop", "", from("cm", "{{item}}"), R"(["one"])", ", withItems: [a]"},
      {"tags in the value are filled in", ", " + from("cm", "tag"), "", R"(["wf"])"},
      {"a missing key", ", " + from("cm", "b"), "", std::string(kFailed) + "ConfigMap 'cm' does not have the key 'b'"},
      {"a missing ConfigMap, though optional", ", valueFrom: {configMapKeyRef: {name: none, key: b, optional: true}}",
       "",
       std::string(kFailed) +
           "ConfigMap 'none' does not exist. Please make sure it has the label workflows.argoproj.io/configmap-type: "
           "Parameter to be detectable by the controller"},
      {"a default for what is missing", ", " + from("cm", "b", ", default: else"), "", R"(["else"])"},
      {"none for one of another type", ", " + from("memo", "a", ", default: else"), "",
       std::string(kFailed) + "ConfigMap 'memo' needs to have the label workflows.argoproj.io/configmap-type: "
                              "Parameter to load parameters"},
      {"a tag that nobody knows", ", " + from("cm", "{{nope}}"), "",
       "failed to substitute configMapKeyRef: failed to resolve {{nope}} at column 1"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(outcome(row.input, row.arguments, row.loop), row.expected) << row.rule;
  }
}

TEST(ConfigMapValues, NodesShowWhereTheyAreFrom) {
  struct Row {
    std::string input, argument, shown;
  };
  const Row rows[] = {
      {"valueFrom: {configMapKeyRef: {name: cm, key: a}}", "",
       R"([{"name":"in","value":"one","valueFrom":{"configMapKeyRef":{"key":"a","name":"cm"}}}])"},
      {"valueFrom: {configMapKeyRef: {name: cm, key: '{{workflow.name}}'}}", "",
       R"([{"name":"in","value":"of wf","valueFrom":{"configMapKeyRef":{"key":"wf","name":"cm"}}}])"},
      {"valueFrom: {default: d, configMapKeyRef: {name: cm, key: b}}", "",
       R"([{"name":"in","value":"d","valueFrom":{"configMapKeyRef":{"key":"b","name":"cm"},"default":"d"}}])"},
      {"default: d", "valueFrom: {configMapKeyRef: {name: cm, key: a}}",
       R"([{"name":"in","default":"d","value":"one","valueFrom":{"configMapKeyRef":{"key":"a","name":"cm"}}}])"},
      {"valueFrom: {configMapKeyRef: {name: cm, key: a}}", "value: given", R"([{"name":"in","value":"given"}])"},
  };
  for (const Row& row : rows) {
    FakeWorld world(fmt::format(
        "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main, "
        "templates: [{{name: main, steps: [[{{name: s, template: t{}}}]]}}, {{name: t, inputs: {{parameters: [{{name: "
        "in, {}}}]}}, container: {{image: i}}}}]}}}}",
        row.argument.empty() ? "" : fmt::format(", arguments: {{parameters: [{{name: in, {}}}]}}", row.argument),
        row.input));
    world.apply(ConfigMapsChanged{maps()});
    world.apply(Started{});
    const auto shown = [&] {
      const api::NodeStatus node = *world.run->find_node(node_id("wf", "wf[0].s"));
      const doc::Value inputs = api::to_document(node.inputs.value_or(api::Inputs{}));
      return doc::to_json(inputs.at("parameters"));
    };
    EXPECT_EQ(shown(), row.shown);
    world.crash();
    EXPECT_EQ(shown(), row.shown);
  }
}

TEST(ConfigMapValues, AllInputsTogetherHaveThem) {
  FakeWorld world(
      "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: wf}, spec: {entrypoint: main, templates: "
      "[{name: main, inputs: {parameters: [{name: in, valueFrom: {configMapKeyRef: {name: cm, key: a}}}]}, container: "
      "{image: i, args: ['{{inputs.parameters}}']}}]}}");
  world.apply(ConfigMapsChanged{maps()});
  world.apply(Started{});
  EXPECT_EQ(
      world.args("wf"),
      R"(["[{\"name\":\"in\",\"value\":\"one\",\"valueFrom\":{\"configMapKeyRef\":{\"key\":\"a\",\"name\":\"cm\"}}}]"])");
}

TEST(ConfigMapValues, ANodeKeepsWhatItGotThoughTheConfigMapGoes) {
  FakeWorld world(
      "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: wf}, spec: {entrypoint: main, templates: "
      "[{name: main, inputs: {parameters: [{name: in, valueFrom: {configMapKeyRef: {name: cm, key: a}}}]}, "
      "retryStrategy: {limit: 1}, container: {image: i, args: [\"{{inputs.parameters.in}}\"]}}]}}");
  world.ends["wf(0)"] = failing();
  world.apply(ConfigMapsChanged{maps()});
  world.apply(Started{});
  world.apply(ConfigMapsChanged{std::make_shared<const ConfigMaps>()});
  do {
    world.crash();
  } while (world.step());
  EXPECT_EQ(world.args("wf(1)"), R"(["one"])");
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
}

TEST(ConfigMapValues, TheWorkflowsOwnAreInItsStatus) {
  FakeWorld world(
      "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: wf}, spec: {entrypoint: main, arguments: "
      "{parameters: [{name: p, valueFrom: {configMapKeyRef: {name: cm, key: a}}}]}, templates: [{name: main, inputs: "
      "{parameters: [{name: p}]}, container: {image: i, args: [\"{{inputs.parameters.p}}\", "
      "\"{{workflow.parameters.p}}\", \"{{workflow.parameters}}\"]}}]}, status: {configMapArguments: {p: one}}}");
  world.play();
  EXPECT_EQ(world.args("wf"),
            R"(["one","one","[{\"name\":\"p\",\"valueFrom\":{\"configMapKeyRef\":{\"key\":\"a\",\"name\":\"cm\"}}}]"])")
      << "all of them together are as the manifest has them, as in the original";
}

TEST(ConfigMaps, TellWhetherAnythingChanged) {
  ConfigMaps maps;
  const auto map = [](std::string_view type) {
    return std::make_shared<const doc::Value>(
        doc::Value{{"metadata", {{"name", "m"}, {"namespace", "n"}, {"labels", {{kConfigMapTypeLabel, type}}}}},
                   {"data", {{"k", "v"}}}});
  };
  EXPECT_TRUE(maps.put(map("Cache")));
  EXPECT_FALSE(maps.put(map("Cache"))) << "what another type holds is not of interest";
  EXPECT_TRUE(maps.put(map("Parameter")));
  EXPECT_EQ(maps.value("n", "m", "k").value_or(""), "v");
  EXPECT_TRUE(maps.remove(*map("Parameter")));
  EXPECT_FALSE(maps.remove(*map("Parameter")));
}

}  // namespace
}  // namespace tiphys::engine
