#include "controllers/workflow_controller.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cluster/pod_annotations.h"
#include "controllers/names.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << documents.error().message;
  return std::move(documents->front().root);
}

constexpr std::string_view kHello = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: hello, namespace: argo}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: busybox, command: [echo, hi]}
)";

constexpr std::string_view kTwoSteps = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: two, namespace: argo}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - [{name: a, template: leaf}]
    - [{name: b, template: leaf}]
  - name: leaf
    container: {image: busybox, command: [echo, hi]}
)";

constexpr std::string_view kApproval = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: approval, namespace: argo}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - [{name: first, template: approve}]
    - [{name: second, template: approve}]
  - name: approve
    suspend: {}
)";

class WorkflowControllerTest : public testing::Test {
 protected:
  WorkflowControllerTest() {
    store::TestStore::Options options;
    options.before_commit = store::full_disk(failures_);
    store_.emplace(std::move(options));
    restart();
  }
  ~WorkflowControllerTest() override { controller_.reset(); }

  void restart() {
    controller_.reset();
    settle();
    controller_.emplace(store_->executor(), store_->store(), random_);
    ready_ = false;
    controller_->start([this] { ready_ = true; });
    settle();
    EXPECT_TRUE(ready_);
  }
  void settle() { store_->run(); }
  /// Lets time pass until nothing is planned any more.
  void settle_all() {
    store_->executor().run_until([] { return false; }, 100'000);
  }

  cluster::Key workflow(std::string name) const { return {&cluster::kWorkflows, "argo", std::move(name)}; }
  cluster::Key pod(std::string name) const { return {&cluster::kPods, "argo", std::move(name)}; }
  void submit(std::string_view manifest) {
    const auto created = store_->create(cluster::kWorkflows, yaml(manifest));
    ASSERT_TRUE(created.has_value()) << created.error().message;
    settle();
  }
  doc::Value get(const cluster::Key& key) {
    auto object = store_->get(key);
    EXPECT_TRUE(object.has_value()) << key.name;
    return object ? **object : doc::Value();
  }
  std::string phase(const std::string& name) {
    return std::string(doc::find_string(get(workflow(name)), "status", "phase"));
  }
  std::string message(const std::string& name) {
    return std::string(doc::find_string(get(workflow(name)), "status", "message"));
  }
  std::string node_phase(const std::string& name, const std::string& display_name) {
    const doc::Value object = get(workflow(name));
    const doc::Value* nodes = doc::find(object, "status", "nodes");
    if (!nodes) return "";
    for (const auto& [id, node] : nodes->as_object()) {
      if (doc::find_string(node, "displayName") == display_name) return std::string(doc::find_string(node, "phase"));
    }
    return "";
  }
  std::vector<std::string> pods() {
    std::vector<std::string> names;
    const auto list = store_->list(cluster::kPods);
    for (const cluster::Object& object : list->items) {
      names.emplace_back(doc::find_string(*object, "metadata", "name"));
    }
    return names;
  }
  std::string pod_of(const std::string& node_name) {
    const auto list = store_->list(cluster::kPods);
    for (const cluster::Object& object : list->items) {
      if (doc::find_string(*object, "metadata", "annotations", kNodeNameAnnotation) == node_name) {
        return std::string(doc::find_string(*object, "metadata", "name"));
      }
    }
    ADD_FAILURE() << "no pod of node " << node_name;
    return "";
  }
  void patch(const cluster::Key& key, std::string_view merge) {
    const auto patched = store_->patch(key, cluster::PatchType::kMerge, yaml(merge));
    EXPECT_TRUE(patched.has_value()) << (patched ? "" : patched.error().message);
    settle();
  }
  void end_pod(const std::string& name, int exit_code) {
    patch(pod(name),
          fmt::format("status: {{phase: {}, containerStatuses: [{{name: main, state: {{terminated: "
                      "{{exitCode: {}, reason: {}}}}}}}]}}",
                      exit_code == 0 ? "Succeeded" : "Failed", exit_code, exit_code == 0 ? "Completed" : "Error"));
  }
  std::string_view label(const doc::Value& object, std::string_view name) {
    return doc::find_string(object, "metadata", "labels", name);
  }

  int failures_ = 0;
  bool ready_ = false;
  SeededRandom random_{1};
  std::optional<store::TestStore> store_;
  std::optional<WorkflowController> controller_;
};

TEST_F(WorkflowControllerTest, RunsAWorkflowToItsEnd) {
  submit(kHello);
  doc::Value object = get(workflow("hello"));
  EXPECT_EQ(doc::find_string(object, "status", "phase"), "Running");
  EXPECT_EQ(label(object, kPhaseLabel), "Running");
  EXPECT_EQ(label(object, kCompletedLabel), "false");
  EXPECT_EQ(doc::find_string(object, "metadata", "annotations", kPodNameFormatAnnotation), "v2");
  EXPECT_EQ(pods(), std::vector<std::string>{"hello"});
  EXPECT_EQ(controller_->live_runs(), 1U);

  patch(pod("hello"), "status: {phase: Running}");
  EXPECT_EQ(doc::to_json(get(workflow("hello")).at("status").at("conditions")),
            R"([{"type":"PodRunning","status":"True"}])");
  end_pod("hello", 0);
  object = get(workflow("hello"));
  EXPECT_EQ(doc::find_string(object, "status", "phase"), "Succeeded");
  EXPECT_EQ(doc::find_string(object, "status", "progress"), "1/1");
  EXPECT_NE(doc::find_string(object, "status", "finishedAt"), "");
  EXPECT_EQ(label(object, kPhaseLabel), "Succeeded");
  EXPECT_EQ(label(object, kCompletedLabel), "true");
  EXPECT_EQ(doc::to_json(object.at("status").at("conditions")),
            R"([{"type":"PodRunning","status":"False"},{"type":"Completed","status":"True"}])");
  EXPECT_EQ(node_phase("hello", "hello"), "Succeeded");
  EXPECT_EQ(controller_->live_runs(), 0U) << "a finished workflow is forgotten";
}

TEST_F(WorkflowControllerTest, WhatEndsAsItBeginsIsWithoutAConditionOfPods) {
  const std::pair<std::string_view, std::string_view> cases[] = {{"when: 'false'", "Succeeded"},
                                                                 {"when: 'what?'", "Error"}};
  for (const auto& [when, ends] : cases) {
    const std::string name = fmt::format("ends-{}", ends == "Error" ? "badly" : "well");
    submit(fmt::format(
        "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: {}, namespace: argo}}, spec: "
        "{{entrypoint: m, "
        "templates: "
        "[{{name: m, steps: [[{{name: a, template: ok, {}}}]]}}, {{name: ok, container: {{image: x, command: "
        "[a]}}}}]}}}}",
        name, when));
    EXPECT_EQ(doc::to_json(get(workflow(name)).at("status").at("conditions")),
              R"([{"type":"Completed","status":"True"}])");
  }
}

TEST_F(WorkflowControllerTest, AFailedPodTellsWhy) {
  submit(kHello);
  end_pod("hello", 3);
  EXPECT_EQ(phase("hello"), "Failed");
  EXPECT_EQ(message("hello"), "main: Error (exit code 3)");
}

TEST_F(WorkflowControllerTest, GoesOnAfterARestart) {
  submit(kTwoSteps);
  end_pod(pod_of("two[0].a"), 0);
  const std::size_t before = pods().size();
  restart();
  EXPECT_EQ(pods().size(), before);
  EXPECT_EQ(controller_->live_runs(), 1U);
  end_pod(pod_of("two[1].b"), 0);
  EXPECT_EQ(phase("two"), "Succeeded");
  EXPECT_EQ(pods().size(), 2U);
}

TEST_F(WorkflowControllerTest, HearsAfterARestartWhatPodsDidMeanwhile) {
  submit(kTwoSteps);
  controller_.reset();
  end_pod(pod_of("two[0].a"), 0);
  restart();
  EXPECT_EQ(node_phase("two", "a"), "Succeeded");
  EXPECT_EQ(pods().size(), 2U);
}

TEST_F(WorkflowControllerTest, APodThatRanAndIsGoneAfterARestartIsAnErrorAndNotRunAgain) {
  submit(kHello);
  patch(pod("hello"), "status: {phase: Running}");
  controller_.reset();
  ASSERT_TRUE(store_->remove(pod("hello"), {.grace_seconds = 0}).has_value());
  settle();
  if (!pods().empty()) GTEST_SKIP() << "pods go only when a node agent has stopped them";
  restart();
  EXPECT_EQ(phase("hello"), "Error");
  EXPECT_EQ(message("hello"), "pod deleted");
  EXPECT_TRUE(pods().empty());
}

constexpr std::string_view kLibrary = R"(
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: lib, namespace: argo}
spec:
  entrypoint: main
  arguments: {parameters: [{name: p, value: theirs}]}
  podMetadata: {labels: {of: lib}}
  templates:
  - name: main
    steps:
    - [{name: a, template: leaf}]
    - [{name: b, templateRef: {name: far, template: leaf, clusterScope: true}}]
  - {name: leaf, container: {image: near, args: ["{{workflow.parameters.p}}"]}}
)";

constexpr std::string_view kFar = R"(
apiVersion: argoproj.io/v1alpha1
kind: ClusterWorkflowTemplate
metadata: {name: far}
spec: {templates: [{name: leaf, container: {image: far}}]}
)";

constexpr std::string_view kCaller = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: caller, namespace: argo}
spec:
  entrypoint: main
  arguments: {parameters: [{name: p, value: mine}]}
  templates:
  - name: main
    steps: [[{name: s, templateRef: {name: lib, template: main}}]]
)";

constexpr std::string_view kUser = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: user, namespace: argo}
spec:
  workflowTemplateRef: {name: lib}
  arguments: {parameters: [{name: p, value: mine}]}
)";

TEST_F(WorkflowControllerTest, TakesTemplatesOfOtherObjectsOnce) {
  ASSERT_TRUE(store_->create(cluster::kWorkflowTemplates, yaml(kLibrary)));
  ASSERT_TRUE(store_->create(cluster::kClusterWorkflowTemplates, yaml(kFar)));
  submit(kCaller);
  const doc::Value begun = get(workflow("caller"));
  for (const char* key : {"namespaced/lib/main", "namespaced/lib/leaf", "cluster/far/leaf"}) {
    EXPECT_TRUE(doc::find(begun, "status", "storedTemplates", key)) << key;
  }
  const doc::Value first = get(pod(pod_of("caller[0].s[0].a")));
  EXPECT_EQ(label(first, "of"), "lib") << "the object's word on its pods holds";
  EXPECT_EQ(doc::to_json(*doc::find(first.at("spec").at("containers").at(0), "args")), R"(["mine"])");

  // Neither what they are now nor that one is gone matters to it.
  ASSERT_TRUE(store_->remove({&cluster::kClusterWorkflowTemplates, "", "far"}, {}));
  patch({&cluster::kWorkflowTemplates, "argo", "lib"}, "spec: {templates: []}");
  restart();
  end_pod(pod_of("caller[0].s[0].a"), 0);
  const doc::Value second = get(pod(pod_of("caller[0].s[1].b")));
  EXPECT_EQ(doc::find_string(second.at("spec").at("containers").at(0), "image"), "far");
  end_pod(pod_of("caller[0].s[1].b"), 0);
  EXPECT_EQ(phase("caller"), "Succeeded");
}

TEST_F(WorkflowControllerTest, ItsMetricsFollowWorkflowsAndPods) {
  const auto told = [&](std::string_view line) {
    const std::string page = controller_->metrics();
    EXPECT_NE(("\n" + page).find(fmt::format("\nargo_workflows_{}\n", line)), std::string::npos) << line << "\n"
                                                                                                 << page;
  };
  told("is_leader 1");
  told("gauge{phase=\"Running\"} 0");
  ASSERT_TRUE(store_->create(cluster::kWorkflowTemplates, yaml(kLibrary)));
  ASSERT_TRUE(store_->create(cluster::kClusterWorkflowTemplates, yaml(kFar)));
  submit(kUser);
  told("gauge{phase=\"Running\"} 1");
  told("pods_gauge{phase=\"Pending\"} 1");
  patch(pod(pod_of("user[0].a")), "status: {phase: Running}");
  told("pods_gauge{phase=\"Running\"} 1");
  told("workflow_condition{status=\"True\",type=\"PodRunning\"} 1");
  end_pod(pod_of("user[0].a"), 1);
  told("gauge{phase=\"Running\"} 0");
  for (const char* phase : {"New", "Running", "Failed"}) {
    told(fmt::format("total_count{{namespace=\"argo\",phase=\"{}\"}} 1", phase));
    told(fmt::format(
        "workflowtemplate_triggered_total{{cluster_scope=\"false\",name=\"lib\",namespace=\"argo\",phase=\"{}\"}} 1",
        phase));
  }
  told("workflowtemplate_runtime_count{cluster_scope=\"false\",name=\"lib\",namespace=\"argo\"} 1");
  for (const char* phase : {"Pending", "Running", "Failed"}) {
    told(fmt::format("pods_total_count{{namespace=\"argo\",phase=\"{}\"}} 1", phase));
  }
}

constexpr std::string_view kAsker = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: asker, namespace: argo}
spec:
  entrypoint: main
  arguments: {parameters: [{name: p, value: mine}, {name: which, value: lib}]}
  templates:
  - name: main
    steps:
    - [{name: first, template: wait}]
    - [{name: s, templateRef: {name: "{{workflow.parameters.which}}", template: main}}]
    - [{name: t, withItems: [leaf, none], templateRef: {name: lib, template: "{{item}}"}}]
  - {name: wait, container: {image: near}}
)";

TEST_F(WorkflowControllerTest, TakesTemplatesThatTagsNameAsTheyAreThen) {
  submit(kAsker);
  const doc::Value begun = get(workflow("asker"));
  EXPECT_FALSE(doc::find(begun, "status", "storedTemplates"));
  ASSERT_TRUE(store_->create(cluster::kWorkflowTemplates, yaml(kLibrary)));
  ASSERT_TRUE(store_->create(cluster::kClusterWorkflowTemplates, yaml(kFar)));
  controller_.reset();
  end_pod(pod_of("asker[0].first"), 0);
  failures_ = 1;  // what follows from them is written along with them
  controller_.emplace(store_->executor(), store_->store(), random_);
  controller_->start();
  settle_all();
  const doc::Value asked = get(workflow("asker"));
  for (const char* key : {"namespaced/lib/main", "namespaced/lib/leaf", "cluster/far/leaf"}) {
    EXPECT_TRUE(doc::find(asked, "status", "storedTemplates", key)) << key;
  }
  const doc::Value first = get(pod(pod_of("asker[1].s[0].a")));
  EXPECT_EQ(label(first, "of"), "lib");

  // From now on they are what they were then.
  ASSERT_TRUE(store_->remove({&cluster::kClusterWorkflowTemplates, "", "far"}, {}));
  patch({&cluster::kWorkflowTemplates, "argo", "lib"}, "spec: {templates: []}");
  restart();
  end_pod(pod_of("asker[1].s[0].a"), 0);
  const doc::Value second = get(pod(pod_of("asker[1].s[1].b")));
  EXPECT_EQ(doc::find_string(second.at("spec").at("containers").at(0), "image"), "far");
  end_pod(pod_of("asker[1].s[1].b"), 0);
  EXPECT_EQ(label(get(pod(pod_of("asker[2].t(0:leaf)"))), "of"), "lib");
  end_pod(pod_of("asker[2].t(0:leaf)"), 0);
  EXPECT_EQ(phase("asker"), "Failed");
  EXPECT_EQ(node_phase("asker", "t(1:none)"), "Error");
  EXPECT_EQ(message("asker"),
            "step group deemed errored due to child asker[2].t(1:none) error: template none not found in workflow "
            "template lib");
}

TEST_F(WorkflowControllerTest, RunsTheTemplateThatAWorkflowRefersTo) {
  ASSERT_TRUE(store_->create(cluster::kWorkflowTemplates, yaml(kLibrary)));
  ASSERT_TRUE(store_->create(cluster::kClusterWorkflowTemplates, yaml(kFar)));
  ASSERT_TRUE(store_->create(cluster::kWorkflows, yaml(kUser)));
  failures_ = 1;  // what the first write holds is in the second too
  settle_all();
  doc::Value object = get(workflow("user"));
  EXPECT_EQ(label(object, kWorkflowTemplateLabel), "lib");
  EXPECT_EQ(doc::find_string(object, "status", "storedWorkflowTemplateSpec", "entrypoint"), "main");
  EXPECT_EQ(doc::to_json(object.at("status").at("storedWorkflowTemplateSpec").at("arguments")),
            R"({"parameters":[{"name":"p","value":"mine"}]})");
  ASSERT_TRUE(store_->remove({&cluster::kWorkflowTemplates, "argo", "lib"}, {}));
  restart();
  end_pod(pod_of("user[0].a"), 0);
  patch(workflow("user"), "spec: {shutdown: Stop}");
  object = get(workflow("user"));
  EXPECT_EQ(doc::find_string(object, "status", "storedWorkflowTemplateSpec", "shutdown"), "Stop");
  EXPECT_EQ(phase("user"), "Failed");
}

TEST_F(WorkflowControllerTest, GivesAWorkflowTheMetadataThatItAsksFor) {
  doc::Value manifest = yaml(kTwoSteps);
  manifest.as_object()["spec"].as_object()["workflowMetadata"] = yaml(
      "{labels: {team: red}, annotations: {why: '{{workflow.name}}'}, labelsFrom: {size: {expression: \"'big'\"}}}");
  doc::Value& leaf = manifest.as_object()["spec"].as_object()["templates"].as_array()[1];
  leaf.as_object()["container"].as_object()["args"] =
      doc::Array{"{{workflow.labels.size}} {{workflow.annotations.why}}"};
  ASSERT_TRUE(store_->create(cluster::kWorkflows, std::move(manifest)));
  settle();
  doc::Value object = get(workflow("two"));
  EXPECT_EQ(label(object, "team"), "red");
  EXPECT_EQ(label(object, "size"), "big");
  EXPECT_EQ(doc::find_string(object, "metadata", "annotations", "why"), "two");
  end_pod(pod_of("two[0].a"), 0);
  restart();
  const doc::Value last = get(pod(pod_of("two[1].b")));
  EXPECT_EQ(doc::to_json(*doc::find(last.at("spec").at("containers").at(0), "args")), R"(["big two"])");
}

TEST_F(WorkflowControllerTest, SaysWhatIsMissing) {
  submit(kUser);
  EXPECT_EQ(phase("user"), "Error");
  EXPECT_EQ(message("user"), "workflowtemplate.argoproj.io \"lib\" not found");
  submit(kCaller);
  EXPECT_EQ(phase("caller"), "Failed");
  EXPECT_EQ(message("caller"), "invalid spec: templates.main.steps[0].s: template reference lib.main not found");
  EXPECT_EQ(controller_->live_runs(), 0U);
}

TEST_F(WorkflowControllerTest, FinishedWorkflowsAreLeftAloneAfterARestart) {
  submit(kHello);
  end_pod("hello", 0);
  restart();
  EXPECT_EQ(controller_->live_runs(), 0U);
}

TEST_F(WorkflowControllerTest, AWorkflowThatCannotBeReadEndsInError) {
  submit(
      "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: bad, namespace: argo}, "
      "spec: {entrypoint: 3, templates: nonsense}}");
  EXPECT_EQ(phase("bad"), "Error");
  EXPECT_NE(message("bad"), "");
  EXPECT_EQ(label(get(workflow("bad")), kCompletedLabel), "true");
  EXPECT_EQ(controller_->live_runs(), 0U);
  restart();
  EXPECT_EQ(controller_->live_runs(), 0U);
}

/// Another version of this program may have found it right.
TEST_F(WorkflowControllerTest, WhatHasBegunGoesOnThoughItWouldBeRefusedNow) {
  submit(kTwoSteps);
  controller_.reset();
  end_pod(pod_of("two[0].a"), 0);
  patch(
      workflow("two"),
      "spec: {surprise: 1, entrypoint: main, templates: [{name: main, steps: [[{name: a, template: leaf}], [{name: b, "
      "template: leaf}]]}, {name: leaf, fuzzy: true, container: {image: busybox, command: [echo, hi], tty: maybe}}, "
      "{name: unused, steps: [[{name: a, template: nowhere}]]}]}");
  restart();
  EXPECT_EQ(phase("two"), "Running") << message("two");
  end_pod(pod_of("two[1].b"), 0);
  EXPECT_EQ(phase("two"), "Succeeded") << message("two");
}

TEST_F(WorkflowControllerTest, AnInvalidWorkflowFails) {
  submit(
      "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: bad, namespace: argo}, "
      "spec: {entrypoint: nope, templates: [{name: main, container: {image: x, command: [a]}}]}}");
  EXPECT_EQ(phase("bad"), "Failed");
  EXPECT_TRUE(message("bad").starts_with("invalid spec: ")) << message("bad");
}

TEST_F(WorkflowControllerTest, SuspendHoldsNewNodesBackUntilResumed) {
  submit(kTwoSteps);
  patch(workflow("two"), "spec: {suspend: true}");
  end_pod(pod_of("two[0].a"), 0);
  EXPECT_EQ(pods().size(), 1U);
  patch(workflow("two"), "spec: {suspend: null}");
  EXPECT_EQ(pods().size(), 2U);
}

TEST_F(WorkflowControllerTest, StopEndsPodsAndTheWorkflow) {
  submit(kHello);
  patch(workflow("hello"), "spec: {shutdown: Stop}");
  EXPECT_EQ(phase("hello"), "Failed");
  EXPECT_EQ(message("hello"), "Stopped with strategy 'Stop'");
  ASSERT_EQ(pods().size(), 1U) << "it stays, with its log";
  EXPECT_EQ(doc::find_string(get(pod(pods().front())), "metadata", "annotations", cluster::kEndAnnotation), "true");
}

TEST_F(WorkflowControllerTest, AShutdownThatWasAskedForWhileNoControllerRanIsSeen) {
  submit(kHello);
  controller_.reset();
  patch(workflow("hello"), "spec: {shutdown: Terminate}");
  restart();
  EXPECT_EQ(phase("hello"), "Failed");
}

constexpr std::string_view kResume =
    R"(metadata: {annotations: {tiphys.io/node-requests: '[{"id":"r1","fields":[],"phase":"Succeeded"}]'}})";

TEST_F(WorkflowControllerTest, ANodeRequestIsCarriedOutOnceAndRemoved) {
  submit(kApproval);
  EXPECT_EQ(node_phase("approval", "first"), "Running");
  patch(workflow("approval"), kResume);
  EXPECT_EQ(node_phase("approval", "first"), "Succeeded");
  EXPECT_EQ(node_phase("approval", "second"), "Running");
  const doc::Value object = get(workflow("approval"));
  EXPECT_EQ(doc::find_string(object, "metadata", "annotations", kNodeRequestsAnnotation), "");
  EXPECT_EQ(doc::find_string(object, "metadata", "annotations", kNodeRequestsDoneAnnotation), "");
  restart();
  EXPECT_EQ(node_phase("approval", "second"), "Running");
}

TEST_F(WorkflowControllerTest, ARequestThatIsNotedAsDoneIsOnlyRemoved) {
  submit(kApproval);
  controller_.reset();
  patch(workflow("approval"), R"(metadata: {annotations: {tiphys.io/node-requests-done: '["r1"]'}})");
  patch(workflow("approval"), kResume);
  restart();
  EXPECT_EQ(node_phase("approval", "first"), "Running");
  EXPECT_EQ(doc::find_string(get(workflow("approval")), "metadata", "annotations", kNodeRequestsAnnotation), "");
}

TEST_F(WorkflowControllerTest, RequestsThatCannotBeReadChangeNothing) {
  submit(kApproval);
  patch(workflow("approval"), "metadata: {annotations: {tiphys.io/node-requests: nonsense}}");
  EXPECT_EQ(node_phase("approval", "first"), "Running");
}

TEST_F(WorkflowControllerTest, WritesThatTheDiskRefusesAreRepeatedUntilTheyHold) {
  submit(kTwoSteps);
  const std::string first = pod_of("two[0].a");
  controller_.reset();
  end_pod(first, 0);
  failures_ = 3;
  controller_.emplace(store_->executor(), store_->store(), random_);
  controller_->start();
  store_->executor().run_until([this] { return failures_ == 0; }, 100'000);
  for (int i = 0; i < 100 && store_->executor().pending_timers() > 0; ++i) store_->executor().step();
  settle();
  EXPECT_EQ(node_phase("two", "a"), "Succeeded");
  EXPECT_EQ(pods().size(), 2U);
}

TEST_F(WorkflowControllerTest, ADeletedWorkflowIsForgotten) {
  submit(kHello);
  ASSERT_TRUE(store_->remove(workflow("hello")).has_value());
  settle();
  EXPECT_EQ(controller_->live_runs(), 0U);
}

TEST_F(WorkflowControllerTest, APodOfAnotherOwnerIsNotTakenOver) {
  ASSERT_TRUE(
      store_
          ->create(cluster::kPods, yaml("{apiVersion: v1, kind: Pod, metadata: {name: hello, namespace: argo}, spec: "
                                        "{containers: [{name: main, image: x}]}}"))
          .has_value());
  submit(kHello);
  EXPECT_EQ(phase("hello"), "Error");
  EXPECT_EQ(message("hello"), "pod hello exists already and is not of this workflow");
}

constexpr std::string_view kOwnerReference = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: owner, namespace: argo}
spec:
  entrypoint: k8s-owner-reference
  templates:
  - name: k8s-owner-reference
    resource:
      action: create
      manifest: |
        apiVersion: v1
        kind: ConfigMap
        metadata:
          generateName: owned-eg-
          ownerReferences:
          - apiVersion: argoproj.io/v1alpha1
            blockOwnerDeletion: true
            kind: Workflow
            name: "{{workflow.name}}"
            uid: "{{workflow.uid}}"
        data:
          some: value
)";

TEST_F(WorkflowControllerTest, AResourceTemplateCreatesAConfigMapThatGoesWithItsWorkflow) {
  submit(kOwnerReference);
  EXPECT_EQ(phase("owner"), "Succeeded") << message("owner");
  const auto maps = store_->list(cluster::kConfigMaps);
  ASSERT_EQ(maps->items.size(), 1U);
  EXPECT_TRUE(doc::find_string(*maps->items[0], "metadata", "name").starts_with("owned-eg-"));
  ASSERT_TRUE(store_->remove(workflow("owner")).has_value());
  settle_all();
  EXPECT_TRUE(store_->list(cluster::kConfigMaps)->items.empty());
}

constexpr std::string_view kMemoized = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME, namespace: argo}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - [{name: a, template: leaf}]
  - name: leaf
    memoize: {key: k, cache: {configMap: {name: cache}}}
    container: {image: busybox, command: [echo, hi]}
)";

TEST_F(WorkflowControllerTest, AMemoizedStepIsNotRunTwice) {
  std::string manifest(kMemoized);
  manifest.replace(manifest.find("NAME"), 4, "one");
  submit(manifest);
  end_pod(pod_of("one[0].a"), 0);
  EXPECT_EQ(phase("one"), "Succeeded");
  manifest = kMemoized;
  manifest.replace(manifest.find("NAME"), 4, "two");
  submit(manifest);
  EXPECT_EQ(phase("two"), "Succeeded");
  EXPECT_EQ(pods().size(), 1U);
}

constexpr std::string_view kFromConfigMaps = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: configured, namespace: argo}
spec:
  entrypoint: main
  arguments:
    parameters:
    - {name: size, valueFrom: {configMapKeyRef: {name: settings, key: size}}}
  templates:
  - name: main
    steps:
    - [{name: a, template: leaf}]
    - [{name: b, template: leaf}]
  - name: leaf
    inputs:
      parameters:
      - {name: color, valueFrom: {default: none, configMapKeyRef: {name: "{{='set' + 'tings'}}", key: color}}}
    container: {image: busybox, args: ["{{workflow.parameters.size}} {{inputs.parameters.color}}"]}
)";

TEST_F(WorkflowControllerTest, ParametersComeFromConfigMaps) {
  const cluster::Key settings{&cluster::kConfigMaps, "argo", "settings"};
  const auto args = [&](const std::string& node_name) {
    const doc::Value object = get(pod(pod_of(node_name)));
    return doc::to_json(*doc::find(doc::find(object, "spec", "containers")->get_array().at(0), "args"));
  };
  ASSERT_TRUE(store_->create(cluster::kConfigMaps, yaml(R"(
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: argo, labels: {workflows.argoproj.io/configmap-type: Parameter}}
data: {size: "3", color: red}
)")));
  submit(kFromConfigMaps);
  EXPECT_EQ(args("configured[0].a"), R"(["3 red"])");
  ASSERT_TRUE(store_->patch(settings, cluster::PatchType::kMerge, {{"data", {{"size", "4"}, {"color", "blue"}}}}));
  end_pod(pod_of("configured[0].a"), 0);
  EXPECT_EQ(args("configured[1].b"), R"(["3 blue"])") << "the workflow's own are those of its beginning";
  ASSERT_TRUE(store_->remove(settings).has_value());
  restart();
  end_pod(pod_of("configured[1].b"), 0);
  EXPECT_EQ(phase("configured"), "Succeeded") << message("configured");

  ASSERT_TRUE(store_->remove(workflow("configured")).has_value());
  settle_all();
  submit(kFromConfigMaps);
  EXPECT_EQ(phase("configured"), "Failed");
  EXPECT_EQ(
      message("configured"),
      "failed to set global parameters: failed to set global parameter size from configmap with name settings and "
      "key size: ConfigMap 'settings' does not exist. Please make sure it has the label "
      "workflows.argoproj.io/configmap-type: Parameter to be detectable by the controller");
}

}  // namespace
}  // namespace tiphys::controllers
