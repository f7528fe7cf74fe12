#include "controllers/resource_runner.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "controllers/names.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

using api::NodePhase;

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << documents.error().message;
  return std::move(documents->front().root);
}

class ResourceRunnerTest : public testing::Test {
 protected:
  ResourceRunnerTest() {
    // What is owned by nobody that exists would be collected at once.
    const auto workflow = store_.create(
        cluster::kWorkflows, yaml("{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: wf, namespace: "
                                  "argo}, spec: {}}"));
    EXPECT_TRUE(workflow.has_value());
    uid_ = doc::find_string(**workflow, "metadata", "uid");
  }

  std::unique_ptr<RunningAction> start(std::string_view pod_template, std::string node_id = "wf-7") {
    finished_.reset();
    ActionRequest request{"argo", "wf", uid_, {std::move(node_id), "wf.a", nullptr}};
    request.run.template_document = std::make_shared<const doc::Value>(yaml(pod_template));
    return runner_.run(std::move(request), [this](engine::ActionChanged finished) { finished_ = std::move(finished); });
  }
  engine::ActionChanged run(std::string_view pod_template, std::string node_id = "wf-7") {
    const auto action = start(pod_template, std::move(node_id));
    store_.executor().run_until([this] { return finished_.has_value(); });
    EXPECT_TRUE(finished_.has_value());
    store_.run();
    return finished_.value_or(engine::ActionChanged{});
  }
  cluster::Key map(std::string name) const { return {&cluster::kConfigMaps, "argo", std::move(name)}; }
  void create_map(std::string_view data) {
    const auto made = store_.create(
        cluster::kConfigMaps, yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: argo}, data: " +
                                   std::string(data) + "}"));
    ASSERT_TRUE(made.has_value()) << made.error().message;
  }
  std::string data(const std::string& name) {
    const auto object = store_.get(map(name));
    const doc::Value* held = object ? doc::find(**object, "data") : nullptr;
    return held ? doc::to_json(*held) : "";
  }

  store::TestStore store_;
  ResourceRunner runner_{store_.executor(), store_.store(), [](auto job) { job(); }};
  std::string uid_;
  std::optional<engine::ActionChanged> finished_;
};

constexpr std::string_view kCreate = R"(
resource:
  action: create
  setOwnerReference: true
  manifest: |
    apiVersion: v1
    kind: ConfigMap
    metadata: {generateName: owned-eg-}
    data: {some: value}
outputs:
  parameters:
  - {name: name, valueFrom: {jsonPath: "{.metadata.name}"}}
  - {name: some, valueFrom: {jsonPath: "{.data.some}"}}
  - {name: absent, valueFrom: {jsonPath: "{.data.none}"}}
)";

TEST_F(ResourceRunnerTest, CreatesAnObjectThatTheWorkflowOwns) {
  const auto finished = run(kCreate);
  EXPECT_EQ(finished.phase, NodePhase::kSucceeded) << finished.message;
  EXPECT_EQ(finished.node_id, "wf-7");
  ASSERT_TRUE(finished.outputs && finished.outputs->parameters.size() == 3);
  EXPECT_EQ(finished.outputs->exit_code, "0");
  EXPECT_EQ(finished.outputs->parameters[1].value, "value");
  EXPECT_EQ(finished.outputs->parameters[2].value, "");
  const auto object = store_.get(map(finished.outputs->parameters[0].value.value_or("")));
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(doc::find_string((*object)->at("metadata").at("ownerReferences").at(0), "uid"), uid_);
}

TEST_F(ResourceRunnerTest, RepeatedAfterACrashFindsItsOwnObject) {
  const auto first = run(kCreate);
  const auto second = run(kCreate);
  EXPECT_EQ(second.phase, NodePhase::kSucceeded) << second.message;
  EXPECT_EQ(first.outputs->parameters[0].value, second.outputs->parameters[0].value);
  EXPECT_EQ(store_.list(cluster::kConfigMaps)->items.size(), 1U);
}

TEST_F(ResourceRunnerTest, AnotherNodesObjectIsAnotherOne) {
  const auto first = run(kCreate);
  const auto second = run(kCreate, "wf-8");
  EXPECT_NE(first.outputs->parameters[0].value, second.outputs->parameters[0].value);
}

TEST_F(ResourceRunnerTest, ANameThatIsTakenFailsAsWithKubectl) {
  create_map("{}");
  const auto finished =
      run("resource: {action: create, manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}'}");
  EXPECT_EQ(finished.phase, NodePhase::kFailed);
  EXPECT_EQ(finished.outputs->exit_code, "64");
  EXPECT_EQ(finished.message,
            "main: Error (exit code 64): no more retries Error from server (AlreadyExists): error when creating "
            "\"/tmp/manifest.yaml\": configmaps \"a\" already exists");
}

TEST_F(ResourceRunnerTest, GetReadsOutputs) {
  create_map("{x: one}");
  const auto finished = run(R"(
resource: {action: get, flags: [configmap, a]}
outputs: {parameters: [{name: x, valueFrom: {jsonPath: "{.data.x}"}}]}
)");
  EXPECT_EQ(finished.phase, NodePhase::kSucceeded) << finished.message;
  EXPECT_EQ(finished.outputs->parameters.at(0).value, "one");
}

TEST_F(ResourceRunnerTest, GetOfWhatIsNotThereFails) {
  EXPECT_EQ(run("resource: {action: get, flags: [configmap, a]}").message,
            "main: Error (exit code 64): no more retries Error from server (NotFound): configmaps \"a\" not found");
}

TEST_F(ResourceRunnerTest, GetMayIgnoreWhatIsNotThere) {
  const auto finished = run(R"(
resource: {action: get, flags: [configmap, a, --ignore-not-found]}
outputs: {parameters: [{name: x, valueFrom: {jsonPath: "{.data.x}", default: none}}]}
)");
  EXPECT_EQ(finished.phase, NodePhase::kSucceeded) << finished.message;
  EXPECT_EQ(finished.outputs->parameters.at(0).value, "none");
}

TEST_F(ResourceRunnerTest, ApplyCreatesThenChangesAndRemovesWhatIsGone) {
  const auto apply = [&](std::string_view data) {
    return run("resource: {action: apply, manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: " +
               std::string(data) + "}'}");
  };
  EXPECT_EQ(apply("{x: one, z: two}").phase, NodePhase::kSucceeded);
  EXPECT_EQ(data("a"), R"({"x":"one","z":"two"})");
  ASSERT_TRUE(store_.patch(map("a"), cluster::PatchType::kMerge, yaml("{data: {foreign: f}}")).has_value());
  EXPECT_EQ(apply("{x: three}").phase, NodePhase::kSucceeded);
  EXPECT_EQ(data("a"), R"({"x":"three","foreign":"f"})");
}

struct PatchRow {
  std::string name, resource, data;
};

TEST_F(ResourceRunnerTest, PatchTakesTheThreeStrategies) {
  const PatchRow rows[] = {
      {"strategic, the manifest names the object",
       "{action: patch, manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: s}}'}",
       R"({"x":"s","z":"2"})"},
      {"merge, flags name the object",
       "{action: patch, mergeStrategy: merge, manifest: '{data: {z: null}}', flags: [configmap, a]}", R"({"x":"s"})"},
      {"json",
       "{action: patch, mergeStrategy: json, manifest: '[{op: replace, path: /data/x, value: j}]', flags: [cm, a]}",
       R"({"x":"j"})"},
  };
  create_map("{x: \"1\", z: \"2\"}");
  for (const PatchRow& row : rows) {
    const auto finished = run("resource: " + row.resource);
    EXPECT_EQ(finished.phase, NodePhase::kSucceeded) << row.name << ": " << finished.message;
    EXPECT_EQ(data("a"), row.data) << row.name;
  }
}

TEST_F(ResourceRunnerTest, ReplaceNeedsTheObject) {
  constexpr std::string_view kReplace =
      "resource: {action: replace, manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {new: "
      "one}}'}";
  EXPECT_EQ(run(kReplace).message,
            "main: Error (exit code 64): no more retries Error from server (NotFound): error when replacing "
            "\"/tmp/manifest.yaml\": configmaps \"a\" not found");
  create_map("{old: one}");
  EXPECT_EQ(run(kReplace).phase, NodePhase::kSucceeded);
  EXPECT_EQ(data("a"), R"({"new":"one"})");
}

TEST_F(ResourceRunnerTest, ReplaceByForceMakesAnotherObject) {
  const auto uid = [&] { return std::string(doc::find_string(**store_.get(map("a")), "metadata", "uid")); };
  constexpr std::string_view kReplace =
      "resource: {action: replace, flags: [--force], manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, "
      "data: {new: one}}'}";
  EXPECT_EQ(run(kReplace).message, "") << "nor need there be one";
  const std::string first = uid();
  EXPECT_EQ(run(kReplace).message, "");
  EXPECT_NE(uid(), first);
  EXPECT_EQ(data("a"), R"({"new":"one"})");
}

TEST_F(ResourceRunnerTest, DeleteNeedNotWait) {
  const auto made = store_.create(
      cluster::kConfigMaps,
      yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: argo, finalizers: [acme.io/hold]}}"));
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(run("resource: {action: delete, flags: [cm, a, --wait=false]}").phase, NodePhase::kSucceeded);
  EXPECT_NE(doc::find_string(**store_.get(map("a")), "metadata", "deletionTimestamp"), "");
}

TEST_F(ResourceRunnerTest, ATypeInFlagsIsThePatchs) {
  create_map("{x: \"1\", z: \"2\"}");
  EXPECT_EQ(
      run("resource: {action: patch, manifest: '[{op: remove, path: /data/x}]', flags: [cm, a, --type, json]}").message,
      "");
  EXPECT_EQ(data("a"), R"({"z":"2"})");
}

TEST_F(ResourceRunnerTest, DeleteDoesNotMindWhatIsNotThere) {
  constexpr std::string_view kDelete =
      "resource: {action: delete, manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}'}";
  create_map("{}");
  EXPECT_EQ(run(kDelete).phase, NodePhase::kSucceeded);
  EXPECT_EQ(store_.get(map("a")).error().code, Code::kNotFound);
  EXPECT_EQ(run(kDelete).phase, NodePhase::kSucceeded);
}

TEST_F(ResourceRunnerTest, DeletesAllThatFlagsName) {
  const auto make = [&](std::string_view name, std::string_view label) {
    const auto made = store_.create(
        cluster::kConfigMaps, yaml(fmt::format("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {}, namespace: "
                                               "argo, labels: {{l: {}}}}}}}",
                                               name, label)));
    ASSERT_TRUE(made.has_value()) << made.error().message;
  };
  const auto left = [&] {
    std::string names;
    const auto list = store_.list(cluster::kConfigMaps);
    for (const auto& object : list->items) {
      names += std::string(doc::find_string(*object, "metadata", "name")) + " ";
    }
    return names;
  };
  for (const auto& [flags, names] : {
           std::pair("[configmap, --selector, l=x]", "b c d "),
           {"[cm/b, cm/nobody, cm/c]", "a d "},
           {"[configmaps, a, d]", "b c "},
           {"['configmaps,secrets', -l, 'l in (x, z)']", "b c "},
           {"[cm, --all]", ""},
           {"[cm, --field-selector=metadata.name=d]", "a b c "},
           {"[cm, -l, l=nothing]", "a b c d "},
       }) {
    const auto list = store_.list(cluster::kConfigMaps);
    for (const auto& object : list->items) {
      (void)store_.remove(map(std::string(doc::find_string(*object, "metadata", "name"))));
    }
    make("a", "x");
    make("b", "y");
    make("c", "y");
    make("d", "z");
    const auto finished = run(fmt::format("resource: {{action: delete, flags: {}}}", flags));
    EXPECT_EQ(finished.phase, NodePhase::kSucceeded) << flags << ": " << finished.message;
    EXPECT_EQ(left(), names) << flags;
  }
}

/// kubectl does it to all of them; what it prints is no one object then, which the original minds.
TEST_F(ResourceRunnerTest, SeveralObjectsOfAManifestAreAllDone) {
  constexpr std::string_view kOneByOne = "main: Error (exit code 64): invalid character '{' after top-level value";
  constexpr std::string_view kList =
      "main: Error (exit code 64): Kind and name are both required but at least one of them is missing from the "
      "manifest";
  struct Case {
    std::string_view action;
    std::string message, a, b;
  };
  const std::string missing = "Error from server (NotFound): error when replacing \"/tmp/manifest.yaml\": configmaps ";
  for (const auto& [action, message, a, b] : {
           Case{"replace",
                "main: Error (exit code 64): no more retries " + missing + "\"a\" not found\n" + missing +
                    "\"b\" not found",
                "", ""},
           Case{"create", std::string(kOneByOne), R"({"x":"1"})", R"({"x":"2"})"},
           Case{"get", std::string(kList), R"({"x":"1"})", R"({"x":"2"})"},
           Case{"apply", std::string(kList), R"({"x":"1"})", R"({"x":"2"})"},
           Case{"replace", std::string(kOneByOne), R"({"x":"1"})", R"({"x":"2"})"},
           Case{"delete", "", "", ""},
       }) {
    const auto finished = run(fmt::format(R"(
resource:
  action: {}
  manifest: |
    {{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {{x: "1"}}}}
    ---
    {{apiVersion: v1, kind: ConfigMap, metadata: {{name: b}}, data: {{x: "2"}}}}
)",
                                          action));
    EXPECT_EQ(finished.message, message) << action;
    EXPECT_EQ(finished.phase, message.empty() ? NodePhase::kSucceeded : NodePhase::kFailed) << action;
    EXPECT_EQ(data("a"), a) << action;
    EXPECT_EQ(data("b"), b) << action;
  }
}

TEST_F(ResourceRunnerTest, AListOfOneIsOneObject) {
  const auto finished = run(R"(
resource:
  action: create
  manifest: "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: z}}]}"
outputs: {parameters: [{name: x, valueFrom: {jsonPath: "{.data.x}"}}]}
)");
  EXPECT_EQ(finished.phase, NodePhase::kSucceeded) << finished.message;
  EXPECT_EQ(finished.outputs->parameters.at(0).value, "z");
}

constexpr std::string_view kAwait = R"(
resource:
  action: get
  flags: [configmap, a]
  successCondition: data.state in (done, ready)
  failureCondition: data.state == broken, data.tries > 3
outputs: {parameters: [{name: s, valueFrom: {jsonPath: "{.data.state}"}}]}
)";

TEST_F(ResourceRunnerTest, AwaitsItsConditionByAWatch) {
  create_map("{state: new}");
  const auto action = start(kAwait);
  store_.run();
  EXPECT_FALSE(finished_.has_value());
  EXPECT_EQ(store_.executor().pending_timers(), 0U) << "nothing is polled";
  ASSERT_TRUE(store_.patch(map("a"), cluster::PatchType::kMerge, yaml("{data: {state: ready}}")).has_value());
  store_.run();
  ASSERT_TRUE(finished_.has_value());
  EXPECT_EQ(finished_->phase, NodePhase::kSucceeded) << finished_->message;
  EXPECT_EQ(finished_->outputs->parameters.at(0).value, "ready");
}

TEST_F(ResourceRunnerTest, AnyRequirementOfTheFailureConditionFails) {
  create_map("{state: new, tries: \"4\"}");
  const auto finished = run(kAwait);
  EXPECT_EQ(finished.phase, NodePhase::kFailed);
  EXPECT_EQ(finished.message, "main: Error (exit code 64): failure condition 'data.tries>3' evaluated true");
}

TEST_F(ResourceRunnerTest, DeletionWhileWaitingFails) {
  create_map("{state: new}");
  const auto action = start(kAwait);
  store_.run();
  ASSERT_TRUE(store_.remove(map("a")).has_value());
  store_.run();
  ASSERT_TRUE(finished_.has_value());
  EXPECT_EQ(finished_->message,
            "main: Error (exit code 64): The resource has been deleted while its status was still being checked. Will "
            "not be retried: configmaps \"a\" not found");
}

TEST_F(ResourceRunnerTest, AConditionThatDoesNotParseFails) {
  create_map("{}");
  const auto finished = run("resource: {action: get, flags: [cm, a], successCondition: 'a in ('}");
  EXPECT_EQ(finished.phase, NodePhase::kFailed);
  EXPECT_TRUE(finished.message.starts_with("main: Error (exit code 64): success condition 'a in (' failed to parse: "))
      << finished.message;
}

TEST_F(ResourceRunnerTest, AStoppedActionSaysNothingMore) {
  create_map("{state: new}");
  auto action = start(kAwait);
  store_.run();
  action.reset();
  ASSERT_TRUE(store_.patch(map("a"), cluster::PatchType::kMerge, yaml("{data: {state: ready}}")).has_value());
  store_.run();
  EXPECT_FALSE(finished_.has_value());
}

TEST_F(ResourceRunnerTest, JqFiltersGiveOutputs) {
  create_map("{x: one, z: two}");
  const auto finished = run(R"(
resource: {action: get, flags: [cm, a]}
outputs:
  parameters:
    - {name: all, valueFrom: {jqFilter: ".data"}}
    - {name: path, valueFrom: {jsonPath: "{.data.x}"}}
    - {name: lines, valueFrom: {jqFilter: ".data | to_entries[] | .key + .value"}}
)");
  ASSERT_TRUE(finished.outputs);
  std::vector<std::string> values;
  for (const auto& parameter : finished.outputs->parameters) values.push_back(*parameter.value);
  EXPECT_THAT(values, testing::ElementsAre(R"({"x":"one","z":"two"})", "one", "xone\nztwo"));
}

TEST_F(ResourceRunnerTest, AWrongJqFilterFailsTheNode) {
  create_map("{}");
  const auto finished = run(R"(
resource: {action: get, flags: [cm, a]}
outputs: {parameters: [{name: x, valueFrom: {jqFilter: ".data |"}}]}
)");
  EXPECT_EQ(finished.phase, api::NodePhase::kFailed);
  EXPECT_THAT(finished.message, testing::StartsWith("main: Error (exit code 64): jq: .data |: "));
}

}  // namespace
}  // namespace tiphys::controllers
